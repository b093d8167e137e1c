/* An Arrow column of views, given to Python as the two capsules of the C data interface.

   Source: Arrow C data interface and its PyCapsule protocol. */

#ifndef GATEWAY_GIVING_H
#define GATEWAY_GIVING_H

#include <Python.h>
#include <stdlib.h>
#include <string.h>

#include "_columns.h"

/* What a column is made of; each part from malloc. `valid` may be NULL where none is null. */
typedef struct {
    View *views;
    uint8_t *valid, *texts;
    int64_t rows, nulls, size; /* size: bytes of texts */
} Given;

/* The view of a text of at most 12 bytes; bytes up to `end` may be read. */
INLINE void short_view(View *view, const uint8_t *t, uint32_t length, const uint8_t *end)
{
    uint64_t low, high = 0;
    uint32_t rest;
    if (end - t < 12) {
        *view = (View){.length = length};
        memcpy(&view->prefix, t, length);
        return;
    }
    memcpy(&low, t, 8);
    memcpy(&rest, t + 8, 4);
    if (length < 8)
        low &= ((uint64_t)1 << (8 * length)) - 1;
    else
        high = rest & (((uint64_t)1 << (8 * (length - 8))) - 1);
    rest = (uint32_t)high;
    memcpy(&view->length, &length, 4);
    memcpy(&view->prefix, &low, 8);
    memcpy((uint8_t *)view + 12, &rest, 4);
}

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static void release_array(struct ArrowArray *array)
{
    for (int i = 0; i < 4; i++)
        free((void *)array->buffers[i]);
    free(array->buffers);
    array->release = NULL;
}

static void drop_schema(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release)
        schema->release(schema);
    free(schema);
}

static void drop_array(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array->release)
        array->release(array);
    free(array);
}

/* Gives (schema capsule, array capsule); on success the parts are no longer the caller's. */
static PyObject *give_views(const Given *given, const char *format)
{
    struct ArrowSchema *schema = calloc(1, sizeof *schema);
    struct ArrowArray *array = calloc(1, sizeof *array);
    const void **buffers = calloc(4, sizeof *buffers);
    int64_t *size = malloc(sizeof *size);
    if (!schema || !array || !buffers || !size) {
        free(schema), free(array), free(buffers), free(size);
        return PyErr_NoMemory();
    }
    *size = given->size;
    buffers[0] = given->valid, buffers[1] = given->views;
    buffers[2] = given->texts, buffers[3] = size;
    *schema = (struct ArrowSchema){.format = format, .name = "", .flags = 2,
                                   .release = release_schema};
    *array = (struct ArrowArray){.length = given->rows, .null_count = given->nulls,
                                 .n_buffers = 4, .buffers = buffers, .release = release_array};
    return Py_BuildValue("(NN)", PyCapsule_New(schema, "arrow_schema", drop_schema),
                         PyCapsule_New(array, "arrow_array", drop_array));
}

#endif
