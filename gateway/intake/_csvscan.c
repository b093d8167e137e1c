/* One pass over CSV bytes: is every record well formed and of the header's width?

   It answers only for blocks without a fault; any doubt returns -1, and the slower
   Python scan says what is wrong and where. Both are compared in the tests.

   Source: RFC 4180 section 2; docs/reference/contracts.md, "Structure". */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { ORDINARY, DELIMITER, NEWLINE, RETURN, QUOTE, CONTROL, NUL };

typedef struct {
    Py_ssize_t records; /* -1 when in doubt */
    int unusual;        /* a quote or a control character was seen */
    int signs;          /* a cell begins like a formula: = + - @, or is quoted */
    int padded;         /* a cell may begin or end with a space, tab or no-break space */
} Answer;

/* Whether none of eight bytes is below 0x20, a quote, 0x7f or the delimiter: text goes by eight. */
static inline int plain8(const unsigned char *p, uint64_t delimiters)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t w, d, q, e;
    memcpy(&w, p, 8);
    d = w ^ delimiters;
    q = w ^ (ones * '"');
    e = w ^ (ones * 0x7f);
    return !((((w - ones * 0x20) & ~w) | ((d - ones) & ~d) | ((q - ones) & ~q) | ((e - ones) & ~e)) &
             highs);
}

/* Space, tab, and either byte of U+00A0 in UTF-8. */
static inline int blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == 0xc2 || c == 0xa0;
}

static Answer scan(const unsigned char *p, Py_ssize_t size, const unsigned char *kind,
                   unsigned char delimiter, Py_ssize_t width, Py_ssize_t longest)
{
    const unsigned char *end = p + size, *cell = p;
    const uint64_t delimiters = 0x0101010101010101u * delimiter;
    Answer answer = {0, 0, 0, 0}, doubt = {-1, 1, 1, 1};
    Py_ssize_t fields = 1;

    while (p < end) {
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
                while (end - p >= 8 && plain8(p, delimiters))
                    p += 8;
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
                answer.records++;
            }
        } else {
            return doubt; /* NUL, a stray quote, text after a closing quote */
        }
        cell = p;
    }
    return answer;
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
    memset(kind, CONTROL, 0x20);
    kind[0x7f] = CONTROL;
    kind[0] = NUL;
    kind['\n'] = NEWLINE;
    kind['\r'] = RETURN;
    kind['"'] = QUOTE;
    kind[delimiter & 0xff] = DELIMITER;
    Py_BEGIN_ALLOW_THREADS
    answer = scan(block.buf, block.len, kind, (unsigned char)delimiter, width, longest);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&block);
    return Py_BuildValue("nOOO", answer.records, answer.unusual ? Py_True : Py_False,
                         answer.signs ? Py_True : Py_False,
                         answer.padded ? Py_True : Py_False);
}

static PyMethodDef methods[] = {
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
