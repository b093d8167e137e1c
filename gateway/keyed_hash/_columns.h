/* What the kernel and its Python door share: Arrow columns of string views, and a job.

   Source: Arrow columnar format 1.4 and Arrow C data interface. */

#ifndef GATEWAY_COLUMNS_H
#define GATEWAY_COLUMNS_H

#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/* ---- Arrow: the published C structures, and one column of views ---- */

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#define MAX_COLUMNS 16
typedef struct { uint32_t length, prefix, buffer, offset; } View;

typedef struct {
    struct ArrowArray array;
    const View *views;           /* from the first row of a slice on */
    const uint8_t *const *texts; /* the buffers that longer texts stand in */
    const uint8_t *valid;        /* bits from the array's offset on; NULL when none is null */
} Column;

enum { ROWS_PER_BUFFER = 1 << 26, BLOCK = 128, DIGEST = 16 };

/* A text of more than 12 bytes, the row-th of its size: 2^26 rows to a buffer. */
INLINE View view_of(uint32_t length, uint32_t prefix, int64_t row) {
    View view = {length, prefix, (uint32_t)(row / ROWS_PER_BUFFER),
                 (uint32_t)(row % ROWS_PER_BUFFER * length)};
    return view;
}

INLINE int is_valid(const Column *column, int64_t row) {
    int64_t at = column->array.offset + row;
    return !column->valid || (column->valid[at >> 3] >> (at & 7) & 1);
}

INLINE const uint8_t *text(const Column *column, int64_t row, uint32_t *length) {
    const View *view = &column->views[row];
    *length = view->length;
    if (view->length <= 12) return (const uint8_t *)&view->prefix;
    return column->texts[view->buffer] + view->offset;
}

/* Some rows of some columns, hashed by one thread. */
typedef struct Job {
    Column *columns;
    int n_columns, framed, path;
    int64_t from, to, nulls;
    const uint64_t *mid, *empty; /* the state after the key block; the digest of no message */
    uint64_t *digests;
    View *views;
    uint8_t *valid;
    int failed;
} Job;

extern const uint64_t IV[8];
void compress(uint64_t h[8], const uint64_t m[16], uint64_t count, uint64_t last);
int best_path(void); /* 0 portable, 1 AVX2, 2 AVX-512: the best that this processor has */
void *hash_rows(void *job);

#endif
