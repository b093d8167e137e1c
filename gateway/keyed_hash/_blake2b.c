/* Keyed BLAKE2b-128 over Arrow string views: 8 records side by side, no intrinsics.

   Promise: for every row the bytes that hashlib.blake2b(message, digest_size=16, key=key,
   person=person) gives, nulls kept, on every code path of the processor; no byte outside a
   string's bounds is read. The keyed block is compressed once for a column, so a message of at
   most 128 bytes costs one compression. Messages are a column's bytes, or framed from several
   columns: 0x01, then u16 big-endian length and bytes of each.

   Source: RFC 7693; Arrow columnar format 1.4 (string views), Arrow C data interface;
   docs/reference/pseudonyms.md. */

#include <stdlib.h>
#include <string.h>

#include "_columns.h"


/* ---- the compression function, for one record (uint64_t) or eight (v8) ---- */

const uint64_t IV[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define ROT ROTATE
/* Words at and past `words` are zero by construction: their additions are left out. */
#define ADD(a, i) if ((i) < words) a += m[i]
#define G(a, b, c, d, x, y)                                                                 \
    ADD(a, x); a += b; d = ROT(d ^ a, 32); c += d; b = ROT(b ^ c, 24);                      \
    ADD(a, y); a += b; d = ROT(d ^ a, 16); c += d; b = ROT(b ^ c, 63)
#define ROUND(a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q)                               \
    G(v0, v4, v8, v12, a, b); G(v1, v5, v9, v13, c, d);                                     \
    G(v2, v6, v10, v14, e, f); G(v3, v7, v11, v15, g, h);                                   \
    G(v0, v5, v10, v15, i, j); G(v1, v6, v11, v12, k, l);                                   \
    G(v2, v7, v8, v13, n, o); G(v3, v4, v9, v14, p, q)
#define ALL_ROUNDS                                                                          \
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);                            \
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);                            \
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);                            \
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);                            \
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);                            \
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);                            \
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);                            \
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);                            \
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);                            \
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);                            \
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);                            \
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)

INLINE void compress_words(uint64_t h[8], const uint64_t m[16], uint64_t count, uint64_t last,
                           const int words) {
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6];
    uint64_t v7 = h[7], v8 = IV[0], v9 = IV[1], v10 = IV[2], v11 = IV[3];
    uint64_t v12 = IV[4] ^ count, v13 = IV[5], v14 = IV[6] ^ last, v15 = IV[7];
    ALL_ROUNDS;
    h[0] ^= v0 ^ v8, h[1] ^= v1 ^ v9, h[2] ^= v2 ^ v10, h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12, h[5] ^= v5 ^ v13, h[6] ^= v6 ^ v14, h[7] ^= v7 ^ v15;
}

void compress(uint64_t h[8], const uint64_t m[16], uint64_t count, uint64_t last) {
    compress_words(h, m, count, last, 16);
}

/* ---- staging: messages are laid side by side by length and hashed eight at a time ---- */

enum { ROWS = 32, SLACK = 64 };

typedef struct {
    uint8_t texts[ROWS * 128 + SLACK] __attribute__((aligned(64)));
    uint64_t count[ROWS] __attribute__((aligned(64))), row[ROWS];
    int filled;
} Stage;

INLINE uint64_t load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* Eight records side by side for 512-bit registers, four for 256-bit ones. */
#if defined(__x86_64__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define WIDE
#endif
#endif
#ifdef WIDE
#define LANES 8
#include "_lanes.h"
#undef LANES
#define LANES 4
#include "_lanes.h"
#undef LANES
#endif

INLINE void flush_single(Job *job, Stage *stage, const int words) {
    for (int at = 0; at < stage->filled; at++) {
        int64_t row = (int64_t)stage->row[at];
        uint64_t h[8], m[16];
        memcpy(h, job->mid, sizeof h);
        memcpy(m, stage->texts + at * words * 8, words * 8);
        compress_words(h, m, stage->count[at], ~(uint64_t)0, words);
        memcpy(job->digests + 2 * row, h, DIGEST);
        job->views[row] = view_of(DIGEST, (uint32_t)h[0], row);
    }
    stage->filled = 0;
}

/* One function for each processor and each size of message: 4, 8 or 16 words. */
#define FLUSH(name, how, target)                                                            \
    target static void name##4(Job *job, Stage *stage) { how(job, stage, 4); }              \
    target static void name##8(Job *job, Stage *stage) { how(job, stage, 8); }              \
    target static void name##16(Job *job, Stage *stage) { how(job, stage, 16); }

FLUSH(portable, flush_single, )
#ifdef WIDE
FLUSH(avx2_, flush_lanes4, __attribute__((target("avx2"))))
FLUSH(avx512_, flush_lanes8, __attribute__((target("arch=x86-64-v4"))))
#endif

typedef void (*Flush)(Job *, Stage *);
static const Flush FLUSHES[][3] = {
    {portable4, portable8, portable16},
#ifdef WIDE
    {avx2_4, avx2_8, avx2_16},
    {avx512_4, avx512_8, avx512_16},
#endif
};

/* Copies a text of a view: reads no byte outside it, writes at most 12 past its length. */
INLINE void copy(uint8_t *to, const uint8_t *from, uint32_t length) {
    if (length <= 12) memcpy(to, from, 12); /* inside the view, which holds 12 bytes always */
    else if (length <= 16) {
        uint64_t first = load(from), last = load(from + length - 8);
        memcpy(to, &first, 8), memcpy(to + length - 8, &last, 8);
    } else if (length <= 32) {
        uint8_t first[16], last[16];
        memcpy(first, from, 16), memcpy(last, from + length - 16, 16);
        memcpy(to, first, 16), memcpy(to + length - 16, last, 16);
    } else memcpy(to, from, length);
}

/* Frames one row of all columns at `to`, which has SLACK more bytes than the message. */
INLINE void frame(const Job *job, int64_t row, uint8_t *to) {
    *to++ = 1;
    for (int i = 0; i < job->n_columns; i++) {
        uint32_t length;
        const uint8_t *part = text(&job->columns[i], row, &length);
        *to++ = (uint8_t)(length >> 8);
        *to++ = (uint8_t)length;
        copy(to, part, length);
        to += length;
    }
}

/* Lays a row of at most words * 8 bytes beside the others of its size, with zeros after it: a copy may
   write up to 12 bytes past its text, into the next row, which is not laid yet. */
INLINE void put(Job *job, Stage *stages, int64_t row, uint32_t length, const int framed,
                const int size) {
    Stage *stage = &stages[size];
    const int words = 4 << size;
    uint8_t *to = stage->texts + stage->filled * words * 8;
    memset(to, 0, words * 8);
    if (framed) frame(job, row, to);
    else {
        uint32_t same;
        copy(to, text(&job->columns[0], row, &same), length);
    }
    memset(to + length, 0, 12);
    stage->count[stage->filled] = BLOCK + length;
    stage->row[stage->filled] = (uint64_t)row;
    if (++stage->filled == ROWS) FLUSHES[job->path][size](job, stage);
}

/* A message of more than one block, or none: one record alone. */
static void hash_alone(Job *job, int64_t row, const uint8_t *message, size_t length) {
    uint64_t h[8], m[16] = {0}, count = BLOCK;
    memcpy(h, length ? job->mid : job->empty, sizeof h);
    for (; length > BLOCK; message += BLOCK, length -= BLOCK) {
        memcpy(m, message, BLOCK);
        compress(h, m, count += BLOCK, 0);
    }
    if (length) {
        memset(m, 0, sizeof m);
        memcpy(m, message, length);
        compress(h, m, count + length, ~(uint64_t)0);
    }
    memcpy(job->digests + 2 * row, h, DIGEST);
    job->views[row] = view_of(DIGEST, (uint32_t)h[0], row);
}

static void hash_long(Job *job, int64_t row, size_t length) {
    uint32_t same;
    uint8_t *space;
    if (!job->framed) {
        hash_alone(job, row, text(&job->columns[0], row, &same), length);
        return;
    }
    space = malloc(length + SLACK);
    if (!space) { job->failed = 1; return; }
    frame(job, row, space);
    hash_alone(job, row, space, length);
    free(space);
}

/* The length of a row's message; -1 for a null, and `failed` when no u16 can say a length. */
INLINE int64_t message_length(Job *job, int64_t row, const int framed) {
    int64_t total = framed;
    for (int i = 0; i < (framed ? job->n_columns : 1); i++) {
        const Column *column = &job->columns[i];
        if (column->valid && !is_valid(column, row)) return -1;
        total += column->views[row].length;
        if (framed) {
            total += 2;
            if (column->views[row].length > 0xffff) job->failed = 1;
        }
    }
    return total;
}

INLINE void run(Job *job, const int framed) {
    Stage stages[3];
    for (int i = 0; i < 3; i++) stages[i].filled = 0;
    for (int64_t row = job->from; row < job->to; row++) {
        int64_t length = message_length(job, row, framed);
        if (length < 0) {
            job->nulls++;
            job->valid[row >> 3] &= (uint8_t)~(1 << (row & 7));
            memset(&job->views[row], 0, sizeof(View));
            continue;
        }
        if (job->failed) return;
        if (length - 1 < 0 || length > BLOCK) hash_long(job, row, (size_t)length);
        else if (length <= 32) put(job, stages, row, (uint32_t)length, framed, 0);
        else if (length <= 64) put(job, stages, row, (uint32_t)length, framed, 1);
        else put(job, stages, row, (uint32_t)length, framed, 2);
    }
    for (int i = 0; i < 3; i++) FLUSHES[job->path][i](job, &stages[i]);
}

int best_path(void) {
#ifdef WIDE
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("bmi2"))
        return 2;
    if (__builtin_cpu_supports("avx2")) return 1;
#endif
    return 0;
}

void *hash_rows(void *given) {
    Job *job = given;
    if (job->framed) run(job, 1);
    else run(job, 0);
    return NULL;
}
