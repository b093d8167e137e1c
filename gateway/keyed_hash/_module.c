/* The Python door of the kernel: Arrow streams in, one Arrow column out, no copy of either.

   A column comes as an object with `__arrow_c_stream__` in one chunk; a result goes out as the
   two capsules of the Arrow C data interface, its memory freed by whoever holds it last. The
   interpreter's lock is released while rows are worked on.

   Source: Arrow C data interface and its PyCapsule protocol. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "_stream.h"

/* ---- out ---- */

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static void release_array(struct ArrowArray *array) {
    free((void *)array->buffers[0]), free((void *)array->buffers[1]);
    free(array->private_data); /* the texts, of which buffers 2 and after are parts */
    free((void *)array->buffers[array->n_buffers - 1]);
    free(array->buffers);
    array->release = NULL;
}

static void drop_schema(PyObject *capsule) {
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release) schema->release(schema);
    free(schema);
}

static void drop_array(PyObject *capsule) {
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array->release) array->release(array);
    free(array);
}

typedef struct {
    uint8_t *valid, *texts;
    View *views;
} Output;

static void discard(Output output) { free(output.valid), free(output.views), free(output.texts); }

static int make_output(Output *output, int64_t rows, int width) {
    output->valid = malloc((size_t)rows / 8 + 64);
    output->views = aligned_alloc(64, ((size_t)rows * sizeof(View) + 64) / 64 * 64 + 64);
    output->texts = aligned_alloc(64, ((size_t)rows * width + 64) / 64 * 64 + 64);
    if (output->valid && output->views && output->texts) {
        memset(output->valid, 0xff, (size_t)rows / 8 + 64);
        return 1;
    }
    discard(*output);
    PyErr_NoMemory();
    return 0;
}

/* Gives the output away as (schema capsule, array capsule). */
static PyObject *give(Output output, int64_t rows, int64_t nulls, int width, const char *format) {
    int64_t parts = (rows + ROWS_PER_BUFFER - 1) / ROWS_PER_BUFFER;
    struct ArrowSchema *schema = calloc(1, sizeof *schema);
    struct ArrowArray *array = calloc(1, sizeof *array);
    const void **buffers = calloc((size_t)parts + 3, sizeof *buffers);
    int64_t *sizes = calloc((size_t)parts + 1, sizeof *sizes);
    if (!schema || !array || !buffers || !sizes) {
        free(schema), free(array), free(buffers), free(sizes);
        discard(output);
        return PyErr_NoMemory();
    }
    buffers[0] = output.valid, buffers[1] = output.views;
    for (int64_t i = 0; i < parts; i++) {
        int64_t first = i * ROWS_PER_BUFFER, left = rows - first;
        buffers[2 + i] = output.texts + first * width;
        sizes[i] = (left < ROWS_PER_BUFFER ? left : ROWS_PER_BUFFER) * width;
    }
    buffers[2 + parts] = sizes;
    *schema = (struct ArrowSchema){.format = format, .name = "", .flags = 2,
                                   .release = release_schema};
    *array = (struct ArrowArray){.length = rows, .null_count = nulls, .n_buffers = parts + 3,
                                 .buffers = buffers, .release = release_array,
                                 .private_data = output.texts};
    return Py_BuildValue("(NN)", PyCapsule_New(schema, "arrow_schema", drop_schema),
                         PyCapsule_New(array, "arrow_array", drop_array));
}

/* ---- hash(streams, framed, key, person, path, threads) ---- */

static void prepare(const uint8_t *key, const uint8_t *person, uint64_t mid[8], uint64_t empty[8]) {
    uint64_t block[16] = {0};
    memcpy(mid, IV, 64);
    mid[0] ^= 0x01010000 ^ 32 << 8 ^ 16;
    memcpy(block, person, 16);
    mid[6] ^= block[0], mid[7] ^= block[1];
    memcpy(block, key, 32), memset(block + 4, 0, 96);
    memcpy(empty, mid, 64);
    compress(mid, block, 128, 0);
    compress(empty, block, 128, ~(uint64_t)0); /* no message: the key block is the last one */
}

enum { MAX_THREADS = 16 };

static void run_jobs(Job whole, Job *jobs, int threads) {
    pthread_t thread[MAX_THREADS];
    int started[MAX_THREADS] = {0};
    int64_t step = ((whole.to + threads - 1) / threads + 63) / 64 * 64;
    for (int i = 0; i < threads; i++) {
        jobs[i] = whole;
        jobs[i].from = i * step < whole.to ? i * step : whole.to;
        jobs[i].to = (i + 1) * step < whole.to ? (i + 1) * step : whole.to;
    }
    for (int i = 1; i < threads; i++)
        started[i] = !pthread_create(&thread[i], NULL, hash_rows, &jobs[i]);
    hash_rows(&jobs[0]);
    for (int i = 1; i < threads; i++) {
        if (started[i]) pthread_join(thread[i], NULL);
        else hash_rows(&jobs[i]);
    }
}

static PyObject *hash_columns(Column *columns, int n, int framed, const char *key,
                              const char *person, int path, int threads) {
    uint64_t mid[8], empty[8];
    Job jobs[MAX_THREADS];
    Output output;
    int64_t rows = columns[0].array.length, nulls = 0;
    int failed = 0;
    for (int i = 1; i < n; i++)
        if (columns[i].array.length != rows) return wrong("columns of unequal length"), NULL;
    if (!make_output(&output, rows, 16)) return NULL;
    prepare((const uint8_t *)key, (const uint8_t *)person, mid, empty);
    Py_BEGIN_ALLOW_THREADS;
    run_jobs((Job){.columns = columns, .n_columns = n, .framed = framed, .path = path, .to = rows,
                   .mid = mid, .empty = empty, .digests = (uint64_t *)output.texts,
                   .views = output.views, .valid = output.valid},
             jobs, threads);
    Py_END_ALLOW_THREADS;
    for (int i = 0; i < threads; i++) nulls += jobs[i].nulls, failed |= jobs[i].failed;
    memset(mid, 0, sizeof mid), memset(empty, 0, sizeof empty);
    if (failed) {
        discard(output);
        return wrong("a component is longer than 65535 bytes, or memory is short"), NULL;
    }
    return give(output, rows, nulls, 16, "vz");
}

static PyObject *hash(PyObject *self, PyObject *args) {
    PyObject *streams, *result = NULL;
    const char *key, *person;
    Py_ssize_t key_size, person_size, n, opened = 0;
    int framed, path, threads;
    Column columns[MAX_COLUMNS] = {0};
    (void)self;
    if (!PyArg_ParseTuple(args, "O!py#y#ii", &PyTuple_Type, &streams, &framed, &key, &key_size,
                          &person, &person_size, &path, &threads))
        return NULL;
    n = PyTuple_GET_SIZE(streams);
    if (key_size != 32 || person_size != 16) return wrong("key of 32, person of 16 bytes"), NULL;
    if (n < 1 || n > MAX_COLUMNS || (!framed && n != 1)) return wrong("number of columns"), NULL;
    if (path < 0 || path > best_path()) return wrong("no such path on this processor"), NULL;
    if (threads < 1 || threads > MAX_THREADS) return wrong("1 to 16 threads"), NULL;
    while (opened < n && open_column(PyTuple_GET_ITEM(streams, opened), &columns[opened])) opened++;
    if (opened == n)
        result = hash_columns(columns, (int)n, framed, key, person, path, threads);
    close_columns(columns, opened < n ? opened + 1 : n);
    return result;
}

/* ---- base32(stream): 16 bytes to 26 lower-case letters and digits, RFC 4648, unpadded ---- */

static void write_base32(const uint8_t *bytes, char *text) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned held = 0, bits = 0;
    for (int i = 0; i < 16; i++) {
        held = (held << 8 | bytes[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) *text++ = digits[held >> (bits - 5) & 31];
    }
    *text = digits[held << (5 - bits) & 31];
}

static PyObject *base32(PyObject *self, PyObject *stream) {
    Column column = {0};
    Output output;
    int64_t nulls = 0;
    int failed = 0;
    PyObject *result = NULL;
    (void)self;
    if (open_column(stream, &column) && make_output(&output, column.array.length, 26)) {
        int64_t rows = column.array.length;
        Py_BEGIN_ALLOW_THREADS;
        for (int64_t row = 0; row < rows; row++) {
            uint32_t length, prefix;
            char *to = (char *)output.texts + 26 * row;
            if (!is_valid(&column, row)) {
                nulls++;
                output.valid[row >> 3] &= (uint8_t)~(1 << (row & 7));
                memset(&output.views[row], 0, sizeof(View));
                continue;
            }
            const uint8_t *bytes = text(&column, row, &length);
            if (length != 16) { failed = 1; break; }
            write_base32(bytes, to);
            memcpy(&prefix, to, 4);
            output.views[row] = view_of(26, prefix, row);
        }
        Py_END_ALLOW_THREADS;
        if (failed) {
            discard(output);
            wrong("a value is not 16 bytes long");
        } else {
            result = give(output, rows, nulls, 26, "vu");
        }
    }
    close_columns(&column, 1);
    return result;
}

static PyObject *best(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    return PyLong_FromLong(best_path());
}

static PyMethodDef methods[] = {
    {"hash", hash, METH_VARARGS, "hash(streams, framed, key, person, path, threads)"},
    {"base32", base32, METH_O, "base32(stream)"},
    {"best", best, METH_NOARGS, "best(): 0 portable, 1 AVX2, 2 AVX-512"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_blake2b",
                                    "Keyed BLAKE2b over columns.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__blake2b(void) { return PyModule_Create(&module); }
