/* An Arrow column of string views, taken from a Python object's stream without a copy.

   Source: Arrow C data interface and its PyCapsule protocol. */

#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include <Python.h>
#include <string.h>

#include "_columns.h"

static int wrong(const char *what) {
    PyErr_SetString(PyExc_ValueError, what);
    return 0;
}

static int open_column(PyObject *given, Column *column) {
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(given, "arrow_array_stream");
    struct ArrowSchema schema;
    struct ArrowArray more = {0};
    int is_view;
    if (!stream || !stream->release) return stream ? wrong("the stream is used up") : 0;
    if (stream->get_schema(stream, &schema)) return wrong("the stream has no schema");
    is_view = !strcmp(schema.format, "vu") || !strcmp(schema.format, "vz");
    schema.release(&schema);
    if (!is_view) return wrong("not a column of string or binary views");
    if (stream->get_next(stream, &column->array)) return wrong("the stream broke off");
    if (!column->array.release) column->array.length = 0;
    else if (stream->get_next(stream, &more) || more.release) {
        if (more.release) more.release(&more);
        return wrong("the column has more than one chunk");
    }
    if (column->array.release) {
        column->valid = column->array.null_count ? column->array.buffers[0] : NULL;
        column->views = (const View *)column->array.buffers[1] + column->array.offset;
        column->texts = (const uint8_t *const *)column->array.buffers + 2;
    }
    return 1;
}

static void close_columns(Column *columns, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++)
        if (columns[i].array.release) columns[i].array.release(&columns[i].array);
}

#endif
