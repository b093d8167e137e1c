/* What the last gate asks of each identifier cell: has it the form of a token, and is it
   none of some digests that were written in the same form.

   A token is 26 letters of lower-case base32, the last of which holds 3 bits.

   Source: RFC 4648; security point 18. */

#define PY_SSIZE_T_CLEAN
#include "../keyed_hash/_stream.h"

enum { LETTERS = 26, BUCKETS = 1 << 16 };
typedef uint8_t Sixteen __attribute__((vector_size(16)));

typedef struct {
    uint8_t seen[BUCKETS / 8]; /* a digest of this bucket may be among them */
    const uint8_t *digests;    /* in order */
    size_t count;
} Digests;

static uint32_t bucket_of(const uint8_t *t) {
    uint64_t head;
    memcpy(&head, t, 8);
    return (uint32_t)(head * 0x9e3779b97f4a7c15u >> 48);
}

static void open_digests(Digests *known, const uint8_t *octets, size_t count) {
    memset(known->seen, 0, sizeof known->seen);
    known->digests = octets, known->count = count;
    for (size_t i = 0; i < count; i++) {
        uint32_t bucket = bucket_of(octets + i * LETTERS);
        known->seen[bucket >> 3] |= (uint8_t)(1 << (bucket & 7));
    }
}

static int among(const Digests *known, const uint8_t *t) {
    uint32_t bucket = bucket_of(t);
    size_t low = 0, high = known->count;
    if (!(known->seen[bucket >> 3] >> (bucket & 7) & 1)) return 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(t, known->digests + middle * LETTERS, LETTERS);
        if (!order) return 1;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return 0;
}

/* Whether sixteen bytes are all of a to z and 2 to 7. */
static int of_base32(const uint8_t *t) {
    Sixteen x;
    uint64_t both[2];
    memcpy(&x, t, sizeof x);
    x = (Sixteen)((x - 'a' < 26) | (x - '2' < 6));
    memcpy(both, &x, sizeof both);
    return (both[0] & both[1]) == UINT64_MAX;
}

static int is_token(const uint8_t *t) {
    return of_base32(t) && of_base32(t + LETTERS - 16) && memchr("aeimquy4", t[LETTERS - 1], 8);
}

static void look(const Column *column, const Digests *known, int64_t *wrong_form, int64_t *met) {
    for (int64_t row = 0; row < column->array.length; row++) {
        uint32_t length = 0;
        const uint8_t *t = is_valid(column, row) ? text(column, row, &length) : NULL;
        if (length != LETTERS || !is_token(t)) ++*wrong_form;
        else *met += among(known, t);
    }
}

static PyObject *token_cells(PyObject *self, PyObject *args) {
    PyObject *stream, *result = NULL;
    Py_buffer octets;
    Column column = {0};
    (void)self;
    if (!PyArg_ParseTuple(args, "Oy*", &stream, &octets)) return NULL;
    if (octets.len % LETTERS) {
        wrong("digests of 26 letters");
    } else if (open_column(stream, &column)) {
        Digests known;
        int64_t wrong_form = 0, met = 0;
        Py_BEGIN_ALLOW_THREADS;
        open_digests(&known, octets.buf, (size_t)octets.len / LETTERS);
        look(&column, &known, &wrong_form, &met);
        Py_END_ALLOW_THREADS;
        result = Py_BuildValue("LL", (long long)wrong_form, (long long)met);
    }
    close_columns(&column, 1);
    PyBuffer_Release(&octets);
    return result;
}

static PyMethodDef methods[] = {
    {"token_cells", token_cells, METH_VARARGS,
     "token_cells(stream, digests) -> (cells not of the form, cells among the digests)"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_tokens",
                                    "Cells of identifier columns.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__tokens(void) { return PyModule_Create(&module); }
