/* One pass over CSV bytes: is every record well formed and of the header's width?

   It answers only for blocks without a fault; any doubt returns -1, and the slower
   Python scan says what is wrong and where. Both are compared in the tests.

   Source: RFC 4180 section 2; docs/reference/contracts.md, "Structure". */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../keyed_hash/_giving.h"

enum { ORDINARY, DELIMITER, NEWLINE, RETURN, QUOTE, CONTROL, NUL };

typedef struct {
    Py_ssize_t records; /* -1 when in doubt */
    int unusual;        /* a quote, a control or a hidden character was seen */
    int signs;          /* a cell begins like a formula: = + - @, or is quoted */
    int padded;         /* a cell may begin or end with a space, tab or no-break space */
} Answer;

/* One wanted column: its views, which cells are given, and texts of more than 12 bytes. */
typedef struct {
    View *views;
    uint8_t *valid, *texts;
    size_t held, room;
    int64_t nulls;
} Cells;

/* The cells of a block, where they are wanted: by field, -1 for those that nobody wants. */
typedef struct {
    Cells *cells;
    const int *wanted;
    const unsigned char *end; /* of the block */
    int failed;
} Table;

/* How many of eight bytes stand before the first below 0x20, quote, 0x7f or delimiter; 8: all.
   Each mask may be wrong above its own lowest hit, never below it. */
static inline int plain8(const unsigned char *p, uint64_t delimiters)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t w, d, q, e, found;
    memcpy(&w, p, 8);
    d = w ^ delimiters;
    q = w ^ (ones * '"');
    e = w ^ (ones * 0x7f);
    found = (((w - ones * 0x20) & ~w) | ((d - ones) & ~d) | ((q - ones) & ~q) | ((e - ones) & ~e)) &
            highs;
    return found ? __builtin_ctzll(found) >> 3 : 8;
}

/* Space, tab, and either byte of U+00A0 in UTF-8. */
static inline int blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == 0xc2 || c == 0xa0;
}

/* Texts stand behind each other; room grows as they come. */
static uint8_t *room_for(Cells *cells, size_t length)
{
    if (cells->texts == NULL || cells->held + length > cells->room) {
        size_t room = (cells->held + length) * 2 + 4096;
        uint8_t *texts = realloc(cells->texts, room);
        if (texts == NULL)
            return NULL;
        cells->texts = texts;
        cells->room = room;
    }
    return cells->texts + cells->held;
}

/* Keep one cell: blanks around it are no part of it, and nothing left is missing. */
static void keep(Table *table, Py_ssize_t field, Py_ssize_t row, const unsigned char *from,
                 const unsigned char *to, int quoted)
{
    Cells *cells;
    View *view;
    size_t length;
    if (table == NULL || table->wanted[field] < 0)
        return;
    cells = &table->cells[table->wanted[field]];
    view = &cells->views[row];
    if (quoted) { /* a doubled quote is one: written out among the texts, where it may stay */
        uint8_t *out = room_for(cells, (size_t)(to - from)), *start = out;
        if (out == NULL) {
            table->failed = 1;
            return;
        }
        for (; from < to; from++) {
            *out++ = *from;
            from += *from == '"';
        }
        from = start;
        to = out;
    }
    for (;;) {
        if (from < to && (*from == ' ' || *from == '\t'))
            from++;
        else if (to - from >= 2 && from[0] == 0xc2 && from[1] == 0xa0)
            from += 2;
        else
            break;
    }
    for (;;) {
        if (from < to && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        else if (to - from >= 2 && to[-2] == 0xc2 && to[-1] == 0xa0)
            to -= 2;
        else
            break;
    }
    length = (size_t)(to - from);
    if (!length) {
        memset(view, 0, sizeof *view);
        cells->valid[row >> 3] &= (uint8_t)~(1 << (row & 7));
        cells->nulls++;
        return;
    }
    if (length <= 12) {
        short_view(view, from, (uint32_t)length, quoted ? from + length : table->end);
        return;
    }
    view->length = (uint32_t)length;
    view->buffer = 0;
    memcpy(&view->prefix, from, 4);
    if (!quoted) {
        uint8_t *out = room_for(cells, length);
        if (out == NULL) {
            table->failed = 1;
            return;
        }
        memcpy(out, from, length);
        from = out;
    }
    view->offset = (uint32_t)(from - cells->texts);
    cells->held = (size_t)(from - cells->texts) + length;
}

static Answer scan(const unsigned char *p, Py_ssize_t size, const unsigned char *kind,
                   unsigned char delimiter, Py_ssize_t width, Py_ssize_t longest, Table *table)
{
    const unsigned char *end = p + size, *cell = p;
    const uint64_t delimiters = 0x0101010101010101u * delimiter;
    Answer answer = {0, 0, 0, 0}, doubt = {-1, 1, 1, 1};
    Py_ssize_t fields = 1;
    int quoted;

    while (p < end) {
        quoted = *p == '"';
        if (fields > width)
            return doubt;
        if (*p == '=' || *p == '+' || *p == '-' || *p == '@')
            answer.signs = 1;
        answer.padded |= blank(*p);
        if (*p == '"') { /* a quoted cell, from its first byte */
            answer.unusual = answer.signs = 1;
            for (p++;; p++) {
                p = memchr(p, '"', (size_t)(end - p));
                if (p == NULL)
                    return doubt;
                if (p + 1 < end && p[1] == '"') {
                    p++;
                    continue;
                }
                break;
            }
            answer.padded |= blank(cell[1]) | blank(p[-1]);
            if (memchr(cell, 0, (size_t)(p - cell)) != NULL)
                return doubt;
            p++;
        } else {
            for (;;) {
                int run = 8;
                while (run == 8 && end - p >= 8)
                    p += run = plain8(p, delimiters);
                while (p < end && kind[*p] == ORDINARY)
                    p++;
                if (p < end && kind[*p] == CONTROL) {
                    answer.unusual = answer.signs = 1;
                    p++;
                    continue;
                }
                break;
            }
        }
        if (p - cell > longest)
            return doubt;
        if (p > cell)
            answer.padded |= blank(p[-1]);
        keep(table, fields - 1, answer.records, cell + quoted, p - quoted, quoted);
        if (p < end && kind[*p] == RETURN) {
            if (p + 1 >= end || p[1] != '\n')
                return doubt;
            p++;
        }
        if (p == end || *p == '\n') {
            if (fields != width)
                return doubt;
            answer.records++;
            fields = 1;
            p += p < end;
        } else if (*p == delimiter) {
            fields++;
            if (++p == end) { /* an empty last cell without a line end */
                if (fields != width)
                    return doubt;
                keep(table, fields - 1, answer.records, p, p, 0);
                answer.records++;
            }
        } else {
            return doubt; /* NUL, a stray quote, text after a closing quote */
        }
        cell = p;
    }
    return answer;
}

/* Whether a character outside ASCII may be one that nobody sees (`patterns.HIDDEN`). */
static int hidden_at(const unsigned char *p, const unsigned char *end)
{
    unsigned second = end - p > 1 ? p[1] : 0, third = end - p > 2 ? p[2] : 0;
    switch (*p) {
    case 0xc2: return second <= 0x9f || second == 0xad;
    case 0xd8: return second == 0x9c;
    case 0xe1: return second == 0xa0 && third == 0x8e;
    case 0xe2:
        return (second == 0x80 && (third <= 0x8f || (third >= 0xa8 && third <= 0xae))) ||
               (second == 0x81 && third >= 0xa0 && third <= 0xaf);
    case 0xef: return (second == 0xbb && third == 0xbf) || (second == 0xbf && third >= 0xb9);
    case 0xf3: return second == 0xa0 && third <= 0x81;
    default: return 0;
    }
}

static int any_hidden(const unsigned char *p, Py_ssize_t size)
{
    const unsigned char *end = p + size;
    while (p < end) {
        uint64_t w = 0;
        size_t some = end - p < 8 ? (size_t)(end - p) : 8;
        memcpy(&w, p, some);
        w &= 0x8080808080808080u;
        if (!w) {
            p += some;
            continue;
        }
        p += __builtin_ctzll(w) >> 3;
        if (hidden_at(p, end))
            return 1;
        p++;
    }
    return 0;
}

static void set_kinds(unsigned char kind[256], int delimiter)
{
    memset(kind, CONTROL, 0x20);
    kind[0x7f] = CONTROL;
    kind[0] = NUL;
    kind['\n'] = NEWLINE;
    kind['\r'] = RETURN;
    kind['"'] = QUOTE;
    kind[delimiter & 0xff] = DELIMITER;
}

static PyObject *py_scan(PyObject *module, PyObject *arguments)
{
    Py_buffer block;
    Py_ssize_t width, longest;
    int delimiter;
    unsigned char kind[256] = {0};
    Answer answer;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "y*Cnn", &block, &delimiter, &width, &longest))
        return NULL;
    set_kinds(kind, delimiter);
    Py_BEGIN_ALLOW_THREADS
    answer = scan(block.buf, block.len, kind, (unsigned char)delimiter, width, longest, NULL);
    answer.unusual = answer.unusual || any_hidden(block.buf, block.len);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&block);
    return Py_BuildValue("nOOO", answer.records, answer.unusual ? Py_True : Py_False,
                         answer.signs ? Py_True : Py_False,
                         answer.padded ? Py_True : Py_False);
}

/* ---- the cells as Arrow columns, by the C data interface ---- */

/* Gives a column away as (schema capsule, array capsule); it holds nothing afterwards. */
static PyObject *give(Cells *cells, int64_t rows)
{
    PyObject *capsules;
    if (!room_for(cells, 1))
        return PyErr_NoMemory();
    capsules = give_views(&(Given){cells->views, cells->valid, cells->texts, rows, cells->nulls,
                                   (int64_t)cells->held},
                          "vu");
    if (capsules != NULL)
        memset(cells, 0, sizeof *cells);
    return capsules;
}

static int make_cells(Cells *cells, size_t rows)
{
    cells->views = aligned_alloc(64, (rows * sizeof(View) + 64) / 64 * 64);
    cells->valid = malloc(rows / 8 + 64);
    if (!cells->views || !cells->valid)
        return 0;
    memset(cells->valid, 0xff, rows / 8 + 64);
    return 1;
}

static void free_cells(Cells *cells, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; cells != NULL && i < count; i++)
        free(cells[i].views), free(cells[i].valid), free(cells[i].texts);
    free(cells);
}

static PyObject *given_columns(Cells *cells, Py_ssize_t count, Answer answer)
{
    PyObject *columns = PyList_New(count);
    for (Py_ssize_t i = 0; columns != NULL && i < count; i++) {
        PyObject *column = give(&cells[i], answer.records);
        if (column == NULL)
            Py_CLEAR(columns);
        else
            PyList_SET_ITEM(columns, i, column);
    }
    if (columns == NULL)
        return NULL;
    return Py_BuildValue("nOOON", answer.records, answer.unusual ? Py_True : Py_False,
                         answer.signs ? Py_True : Py_False, answer.padded ? Py_True : Py_False,
                         columns);
}

static PyObject *py_parse(PyObject *module, PyObject *arguments)
{
    Py_buffer block;
    Py_ssize_t width, longest, count;
    int delimiter, *wanted = NULL, ready = 1;
    unsigned char kind[256] = {0};
    size_t rows = 1;
    PyObject *places, *result = NULL;
    Cells *cells = NULL;
    Table table;
    Answer answer;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "y*CnnO!", &block, &delimiter, &width, &longest,
                          &PyTuple_Type, &places))
        return NULL;
    count = PyTuple_GET_SIZE(places);
    wanted = malloc((size_t)(width > 0 ? width : 1) * sizeof *wanted);
    cells = calloc((size_t)count + 1, sizeof *cells);
    if (wanted == NULL || cells == NULL || width < 1 || block.len > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "width, size of the block or memory");
        goto done;
    }
    memset(wanted, 0xff, (size_t)width * sizeof *wanted);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t place = PyLong_AsSsize_t(PyTuple_GET_ITEM(places, i));
        if (place < 0 || place >= width || wanted[place] >= 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "a place twice, or beyond the width");
            goto done;
        }
        wanted[place] = (int)i;
    }
    for (Py_ssize_t i = 0; i < block.len; i++)
        rows += ((const char *)block.buf)[i] == '\n';
    for (Py_ssize_t i = 0; i < count; i++)
        ready = ready && make_cells(&cells[i], rows);
    if (!ready) {
        PyErr_NoMemory();
        goto done;
    }
    set_kinds(kind, delimiter);
    table = (Table){cells, wanted, (const unsigned char *)block.buf + block.len, 0};
    Py_BEGIN_ALLOW_THREADS
    answer = scan(block.buf, block.len, kind, (unsigned char)delimiter, width, longest, &table);
    answer.unusual = answer.unusual || any_hidden(block.buf, block.len);
    Py_END_ALLOW_THREADS
    if (table.failed)
        PyErr_NoMemory();
    else if (answer.records < 0)
        result = Py_NewRef(Py_None);
    else
        result = given_columns(cells, count, answer);
done:
    PyBuffer_Release(&block);
    free(wanted);
    free_cells(cells, count);
    return result;
}

static PyMethodDef methods[] = {
    {"parse", py_parse, METH_VARARGS,
     "parse(block, delimiter, width, longest_cell, places) -> None in doubt, or the answer of"
     " scan and a column of cells for each place"},
    {"scan", py_scan, METH_VARARGS,
     "scan(block, delimiter, width, longest_cell) -> (records or -1, quotes or controls seen, signs seen, blanks seen)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "gateway.intake._csvscan", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__csvscan(void)
{
    return PyModule_Create(&definition);
}
