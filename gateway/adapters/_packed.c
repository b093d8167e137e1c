/* Texts of a column, one after the other, and back: what a stored block holds.

   The first byte says how: F every text of one width (u16 follows), V a length of one byte
   for each row (255: missing), W of four bytes (0xffffffff: missing), D real ISO dates as days
   since 1970 (i32, the least one: missing). All numbers little-endian. Whoever unpacks trusts
   no byte: sizes are compared before anything is read, and that the texts are UTF-8 is left
   to the taker, who is given binary views.

   Source: decision 0220; Arrow columnar format 1.4. */

#define PY_SSIZE_T_CLEAN
#include "../keyed_hash/_days.h"
#include "../keyed_hash/_giving.h"
#include "../keyed_hash/_stream.h"

enum { MISSING8 = 255, SLACK = 16 };
static const uint32_t MISSING32 = UINT32_MAX;

/* ---- packing ---- */

typedef struct {
    uint64_t octets;
    uint32_t least, most;
    int64_t nulls;
    int days;
} Shape;

static Shape shape_of(const Column *column) {
    Shape shape = {.least = UINT32_MAX, .days = 1};
    for (int64_t row = 0; row < column->array.length; row++) {
        uint32_t length;
        const uint8_t *t;
        if (!is_valid(column, row)) {
            shape.nulls++;
            continue;
        }
        t = text(column, row, &length);
        shape.octets += length;
        if (length < shape.least) shape.least = length;
        if (length > shape.most) shape.most = length;
        shape.days = shape.days && day_of(t, length) != MISSING_DAY;
    }
    return shape;
}

static char kind_of(const Shape *shape, int64_t rows) {
    if (shape->days) return 'D';
    if (rows && !shape->nulls && shape->most && shape->least == shape->most &&
        shape->most <= UINT16_MAX)
        return 'F';
    return shape->most < MISSING8 ? 'V' : 'W';
}

static size_t size_of(char kind, uint64_t octets, int64_t rows) {
    size_t n = (size_t)rows;
    switch (kind) {
    case 'D': return 1 + 4 * n;
    case 'F': return 3 + octets;
    case 'V': return 1 + n + octets;
    default: return 1 + 4 * n + octets;
    }
}

/* `to` has SLACK bytes to spare behind what is written. */
static void write_texts(const Column *column, uint8_t *to, uint8_t *lengths, int wide) {
    for (int64_t row = 0; row < column->array.length; row++) {
        uint32_t length = 0, told = wide ? MISSING32 : MISSING8;
        if (is_valid(column, row)) {
            const uint8_t *t = text(column, row, &length);
            told = length;
            if (length <= 12) memcpy(to, t, 12);
            else memcpy(to, t, length);
            to += length;
        }
        if (wide) memcpy(lengths + 4 * row, &told, 4);
        else if (lengths) lengths[row] = (uint8_t)told;
    }
}

static void write_days(const Column *column, uint8_t *to) {
    for (int64_t row = 0; row < column->array.length; row++) {
        uint32_t length;
        int32_t day = MISSING_DAY;
        if (is_valid(column, row)) {
            const uint8_t *t = text(column, row, &length);
            day = day_of(t, length);
        }
        memcpy(to + 4 * row, &day, 4);
    }
}

static void write_column(const Column *column, const Shape *shape, char kind, uint8_t *to) {
    size_t rows = (size_t)column->array.length;
    uint16_t width = (uint16_t)shape->most;
    *to++ = (uint8_t)kind;
    if (kind == 'D') {
        write_days(column, to);
    } else if (kind == 'F') {
        memcpy(to, &width, 2);
        write_texts(column, to + 2, NULL, 0);
    } else {
        int wide = kind == 'W';
        write_texts(column, to + (wide ? 4 * rows : rows), to, wide);
    }
}

static PyObject *pack(PyObject *self, PyObject *stream) {
    PyObject *result = NULL;
    Column column = {0};
    (void)self;
    if (open_column(stream, &column)) {
        Shape shape;
        char kind;
        size_t size;
        Py_BEGIN_ALLOW_THREADS;
        shape = shape_of(&column);
        Py_END_ALLOW_THREADS;
        kind = kind_of(&shape, column.array.length);
        size = size_of(kind, shape.octets, column.array.length);
        result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(size + SLACK));
        if (result) {
            uint8_t *to = (uint8_t *)PyBytes_AS_STRING(result);
            Py_BEGIN_ALLOW_THREADS;
            write_column(&column, &shape, kind, to);
            Py_END_ALLOW_THREADS;
            _PyBytes_Resize(&result, (Py_ssize_t)size);
        }
    }
    close_columns(&column, 1);
    return result;
}

/* ---- unpacking ---- */

typedef struct {
    char kind;
    uint32_t width;
    const uint8_t *lengths, *texts, *end;
} Packed;

static uint32_t length_at(const Packed *packed, int64_t row) {
    uint32_t length;
    if (packed->kind == 'F') return packed->width;
    if (packed->kind == 'V')
        return packed->lengths[row] == MISSING8 ? MISSING32 : packed->lengths[row];
    memcpy(&length, packed->lengths + 4 * row, 4);
    return length;
}

/* Finds the parts of a body; 0 where its size is not that of so many rows. */
static int open_packed(Packed *packed, const uint8_t *body, size_t size, int64_t rows) {
    size_t n = (size_t)rows, head;
    uint64_t total = 0;
    uint16_t width = 0;
    if (size < 1) return 0;
    packed->kind = (char)body[0];
    packed->lengths = body + 1, packed->end = body + size;
    switch (packed->kind) {
    case 'D': head = 1; break;
    case 'F': head = 3; break;
    case 'V': head = 1 + n; break;
    case 'W': head = 1 + 4 * n; break;
    default: return 0;
    }
    if (size < head) return 0;
    packed->texts = body + head;
    if (packed->kind == 'D') return size == 1 + 4 * n;
    if (packed->kind == 'F') {
        memcpy(&width, body + 1, 2);
        packed->width = width;
        return size - 3 == n * width && (width || !n);
    }
    for (int64_t row = 0; row < rows; row++) {
        uint32_t length = length_at(packed, row);
        if (length != MISSING32) total += length;
    }
    return total == size - head;
}

static void unset(Given *given, int64_t row) {
    given->valid[row >> 3] &= (uint8_t)~(1 << (row & 7));
    given->nulls++;
}

static int read_texts(const Packed *packed, Given *given) {
    const uint8_t *t = packed->texts;
    int64_t outside = 0;
    for (int64_t row = 0; row < given->rows; row++) {
        uint32_t length = length_at(packed, row);
        if (length == MISSING32) {
            given->views[row] = (View){0};
            unset(given, row);
            continue;
        }
        if (length <= 12) {
            short_view(&given->views[row], t, length, packed->end);
        } else {
            given->views[row] = (View){.length = length, .offset = (uint32_t)(t - packed->texts)};
            memcpy(&given->views[row].prefix, t, 4);
            outside += length;
        }
        t += length;
    }
    if (!outside) return 1;
    given->size = packed->end - packed->texts;
    given->texts = malloc((size_t)given->size);
    if (given->texts) memcpy(given->texts, packed->texts, (size_t)given->size);
    return given->texts != NULL;
}

static int read_days(const Packed *packed, Given *given) {
    for (int64_t row = 0; row < given->rows; row++) {
        int32_t day;
        memcpy(&day, packed->texts + 4 * row, 4);
        given->views[row] = (View){0};
        if (day == MISSING_DAY) {
            unset(given, row);
            continue;
        }
        given->views[row].length = 10;
        if (!text_of(day, (uint8_t *)&given->views[row].prefix)) return 0;
    }
    return 1;
}

static PyObject *unpack(PyObject *self, PyObject *args) {
    Py_buffer body;
    Py_ssize_t rows;
    Packed packed = {0};
    Given given = {0};
    PyObject *result = NULL;
    int sound;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*n", &body, &rows)) return NULL;
    if (rows < 0 || body.len > INT32_MAX || rows > INT32_MAX ||
        !open_packed(&packed, body.buf, (size_t)body.len, rows)) {
        PyBuffer_Release(&body);
        return wrong("not a packed column of so many rows"), NULL;
    }
    given.rows = rows;
    given.views = aligned_alloc(64, ((size_t)rows * sizeof(View) + 64) / 64 * 64);
    given.valid = malloc((size_t)rows / 8 + 64);
    if (given.views && given.valid) {
        memset(given.valid, 0xff, (size_t)rows / 8 + 64);
        Py_BEGIN_ALLOW_THREADS;
        sound = packed.kind == 'D' ? read_days(&packed, &given) : read_texts(&packed, &given);
        Py_END_ALLOW_THREADS;
        if (!given.texts) given.texts = malloc(SLACK);
        if (!sound) wrong("not a packed column");
        else result = given.texts ? give_views(&given, "vz") : PyErr_NoMemory();
    } else {
        PyErr_NoMemory();
    }
    PyBuffer_Release(&body);
    if (!result) free(given.views), free(given.valid), free(given.texts);
    return result;
}

static PyMethodDef methods[] = {
    {"pack", pack, METH_O, "pack(stream) -> the texts of a column as bytes"},
    {"unpack", unpack, METH_VARARGS,
     "unpack(body, rows) -> (schema, array): a column of binary views"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_packed",
                                    "Texts of a stored column.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__packed(void) { return PyModule_Create(&module); }
