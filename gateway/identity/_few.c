/* The few distinct texts of a column, and which of them each row has.

   Codes, names and small numbers repeat: what is asked of a text is asked once for each
   distinct one. A column with more than a set number of them is given up at once.

   Source: docs/explanation/architecture.md. */

#define PY_SSIZE_T_CLEAN
#include "../keyed_hash/_stream.h"

enum { SLOTS = 2048, MOST = 256 };

typedef struct {
    uint16_t slots[SLOTS]; /* number of a distinct text plus one; 0 is free */
    int64_t first[MOST];   /* the row in which it stands first */
    int count, null;       /* null: the number of the missing text, -1 without one */
} Few;

static uint32_t slot_of(const View *view, const uint8_t *t) {
    uint64_t a, b = view->length;
    memcpy(&a, &view->length, 8);
    if (view->length <= 12) {
        memcpy(&b, (const uint8_t *)view + 8, 8);
    } else {
        uint64_t part;
        memcpy(&part, t + view->length - 8, 8);
        b ^= part;
        memcpy(&part, t + 4, 8);
        b += part * 0x9e3779b97f4a7c15u;
    }
    a = (a ^ (b * 0x9e3779b97f4a7c15u)) * 0xd6e8feb86659fd93u;
    return (uint32_t)(a >> 40) & (SLOTS - 1);
}

static int equal(const Column *column, const View *view, const uint8_t *t, int64_t row) {
    uint32_t length;
    const uint8_t *other = text(column, row, &length);
    if (view->length <= 12) return !memcmp(view, &column->views[row], sizeof *view);
    return length == view->length && !memcmp(t, other, length);
}

static int number_of(Few *few, const Column *column, int64_t row, int most) {
    const View *view = &column->views[row];
    uint32_t length, slot;
    const uint8_t *t = text(column, row, &length);
    for (slot = slot_of(view, t);; slot = (slot + 1) & (SLOTS - 1)) {
        int held = few->slots[slot] - 1;
        if (held < 0) break;
        if (equal(column, view, t, few->first[held])) return held;
    }
    if (few->count == most) return -1;
    few->first[few->count] = row;
    few->slots[slot] = (uint16_t)(few->count + 1);
    return few->count++;
}

static int find(Few *few, const Column *column, int most, uint8_t *numbers) {
    for (int64_t row = 0; row < column->array.length; row++) {
        int number;
        if (is_valid(column, row)) {
            number = number_of(few, column, row, most);
        } else {
            if (few->null < 0 && few->count < most) {
                few->first[few->count] = row;
                few->null = few->count++;
            }
            number = few->null;
        }
        if (number < 0) return 0;
        numbers[row] = (uint8_t)number;
    }
    return 1;
}

static PyObject *answer(const Few *few, PyObject *numbers) {
    PyObject *first = PyList_New(few->count);
    for (int i = 0; first && i < few->count; i++) {
        PyObject *row = PyLong_FromLongLong(few->first[i]);
        if (!row) Py_CLEAR(first);
        else PyList_SET_ITEM(first, i, row);
    }
    return first ? Py_BuildValue("ON", numbers, first) : NULL;
}

static PyObject *few_of(PyObject *self, PyObject *args) {
    PyObject *stream, *numbers = NULL, *result = NULL;
    Column column = {0};
    Few few = {.null = -1};
    int most, found;
    (void)self;
    if (!PyArg_ParseTuple(args, "Oi", &stream, &most)) return NULL;
    if (most < 1 || most > MOST) return wrong("1 to 256 distinct texts"), NULL;
    if (open_column(stream, &column) &&
        (numbers = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)column.array.length))) {
        uint8_t *at = (uint8_t *)PyBytes_AS_STRING(numbers);
        Py_BEGIN_ALLOW_THREADS;
        found = find(&few, &column, most, at);
        Py_END_ALLOW_THREADS;
        result = found ? answer(&few, numbers) : Py_NewRef(Py_None);
    }
    Py_XDECREF(numbers);
    close_columns(&column, 1);
    return result;
}

static PyMethodDef methods[] = {
    {"few", few_of, METH_VARARGS,
     "few(stream, most) -> None with more than so many distinct texts, or one byte for each row"
     " and the first row of each text; missing counts as a text"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_few",
                                    "Distinct texts of a column.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__few(void) { return PyModule_Create(&module); }
