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

typedef uint64_t v8 __attribute__((vector_size(64)));

/* ---- the compression function, for one record (uint64_t) or eight (v8) ---- */

const uint64_t IV[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

#define ROT(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
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

void compress(uint64_t h[8], const uint64_t m[16], uint64_t count, uint64_t last) {
    enum { words = 16 };
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6];
    uint64_t v7 = h[7], v8 = IV[0], v9 = IV[1], v10 = IV[2], v11 = IV[3];
    uint64_t v12 = IV[4] ^ count, v13 = IV[5], v14 = IV[6] ^ last, v15 = IV[7];
    ALL_ROUNDS;
    h[0] ^= v0 ^ v8, h[1] ^= v1 ^ v9, h[2] ^= v2 ^ v10, h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12, h[5] ^= v5 ^ v13, h[6] ^= v6 ^ v14, h[7] ^= v7 ^ v15;
}

/* The last block of eight records at once; only the first 16 bytes of each are asked for. */
INLINE void compress_last8(const uint64_t h[8], const v8 *w, v8 count, v8 out[2], const int words) {
    v8 m[16], zero = {0};
    for (int i = 0; i < words; i++) m[i] = w[i];
    v8 v0 = zero + h[0], v1 = zero + h[1], v2 = zero + h[2], v3 = zero + h[3];
    v8 v4 = zero + h[4], v5 = zero + h[5], v6 = zero + h[6], v7 = zero + h[7];
    v8 v8_ = zero + IV[0], v9 = zero + IV[1], v10 = zero + IV[2], v11 = zero + IV[3];
    v8 v12 = count ^ IV[4], v13 = zero + IV[5], v14 = zero + ~IV[6], v15 = zero + IV[7];
#define v8 v8_
    ALL_ROUNDS;
    out[0] = v0 ^ v8 ^ h[0], out[1] = v1 ^ v9 ^ h[1];
#undef v8
}

/* ---- staging: rows are put aside by length and hashed eight at a time ---- */

enum { GROUPS = 4, ROWS = GROUPS * 8, SLACK = 32 };

typedef struct {
    uint64_t words[GROUPS][16][8] __attribute__((aligned(64)));
    uint64_t count[ROWS] __attribute__((aligned(64)));
    int64_t row[ROWS];
    int filled;
} Stage;

INLINE void finish(Job *job, int64_t row, uint64_t first, uint64_t second) {
    job->digests[2 * row] = first;
    job->digests[2 * row + 1] = second;
    job->views[row] = view_of(16, (uint32_t)first, row);
}

INLINE void flush(Job *job, Stage *stage, const int words) {
    for (int group = 0; group * 8 < stage->filled; group++) {
        union { v8 v[2]; uint64_t lane[2][8]; } out;
        compress_last8(job->mid, (const v8 *)stage->words[group],
                       *(const v8 *)&stage->count[group * 8], out.v, words);
        int left = stage->filled - group * 8;
        for (int lane = 0; lane < (left < 8 ? left : 8); lane++)
            finish(job, stage->row[group * 8 + lane], out.lane[0][lane], out.lane[1][lane]);
    }
    stage->filled = 0;
}

INLINE uint64_t load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* Puts a message into the next lane. Every load ends at or before the message's last byte. */
INLINE void put(Job *job, Stage *stage, int64_t row, const uint8_t *message, uint32_t length,
                const int words) {
    int lane = stage->filled & 7;
    uint64_t(*to)[8] = stage->words[stage->filled >> 3];
    if (length >= 8) {
        for (int i = 0; i < words; i++) {
            uint32_t want = 8 * i, at = want + 8 <= length ? want : length - 8;
            uint32_t shift = 8 * (want - at);
            uint64_t word = load(message + at) >> (shift & 63);
            to[i][lane] = shift < 64 ? word : 0;
        }
    } else {
        /* inside a view, or a framed message with zeros after it: eight bytes are there */
        to[0][lane] = load(message) & (((uint64_t)1 << 8 * length) - 1);
        for (int i = 1; i < words; i++) to[i][lane] = 0;
    }
    stage->count[stage->filled] = 128 + length;
    stage->row[stage->filled] = row;
    if (++stage->filled == ROWS) flush(job, stage, words);
}

/* A message of more than one block, or none: one record alone. */
static void hash_alone(Job *job, int64_t row, const uint8_t *message, size_t length) {
    uint64_t h[8], m[16], count = 128;
    if (!length) {
        finish(job, row, job->empty[0], job->empty[1]);
        return;
    }
    memcpy(h, job->mid, sizeof h);
    for (; length > 128; message += 128, length -= 128) {
        memcpy(m, message, 128);
        compress(h, m, count += 128, 0);
    }
    memset(m, 0, sizeof m);
    memcpy(m, message, length);
    compress(h, m, count + length, ~(uint64_t)0);
    finish(job, row, h[0], h[1]);
}

/* Copies a text without reading past it; `to` has room for SLACK more bytes. */
INLINE void copy(uint8_t *to, const uint8_t *from, uint32_t length) {
    uint64_t a, b, c, d;
    if (length <= 12) { /* inside the view, which holds 12 bytes whatever the length */
        memcpy(to, from, 12);
    } else if (length <= 16) {
        a = load(from), b = load(from + length - 8);
        memcpy(to, &a, 8), memcpy(to + length - 8, &b, 8);
    } else if (length <= 32) {
        a = load(from), b = load(from + 8), c = load(from + length - 16);
        d = load(from + length - 8);
        memcpy(to, &a, 8), memcpy(to + 8, &b, 8), memcpy(to + length - 16, &c, 8);
        memcpy(to + length - 8, &d, 8);
    } else {
        memcpy(to, from, length);
    }
}

/* Frames one row of all columns; NULL when a component is too long for its u16 or memory ends. */
INLINE uint8_t *frame(Job *job, int64_t row, uint8_t **space, size_t *room, size_t *length) {
    size_t need = 1 + SLACK;
    for (int i = 0; i < job->n_columns; i++) {
        uint32_t n = job->columns[i].views[job->columns[i].array.offset + row].length;
        if (n > 0xffff) return NULL;
        need += 2 + n;
    }
    if (need > *room) {
        uint8_t *larger = realloc(*space, *room = 2 * need);
        if (!larger) return NULL;
        *space = larger;
    }
    uint8_t *at = *space;
    *at++ = 1;
    for (int i = 0; i < job->n_columns; i++) {
        uint32_t n;
        const uint8_t *part = text(&job->columns[i], row, &n);
        *at++ = (uint8_t)(n >> 8);
        *at++ = (uint8_t)n;
        copy(at, part, n);
        at += n;
    }
    memset(at, 0, 8);
    *length = (size_t)(at - *space);
    return *space;
}

INLINE void run(Job *job) {
    Stage stage[3];
    size_t room = 1024;
    uint8_t *space = malloc(room);
    for (int i = 0; i < 3; i++) stage[i].filled = 0;
    if (!space) job->failed = 1;
    for (int64_t row = job->from; row < job->to && !job->failed; row++) {
        int valid = 1;
        for (int i = 0; i < job->n_columns; i++) valid &= is_valid(&job->columns[i], row);
        if (!valid) {
            job->nulls++;
            memset(&job->views[row], 0, sizeof(View));
            continue;
        }
        job->valid[row >> 3] |= (uint8_t)(1 << (row & 7));
        uint32_t short_length;
        size_t length;
        const uint8_t *message;
        if (job->framed) {
            message = frame(job, row, &space, &room, &length);
            if (!message) { job->failed = 1; break; }
        } else {
            message = text(&job->columns[0], row, &short_length);
            length = short_length;
        }
        if (length - 1 < 32) put(job, &stage[0], row, message, (uint32_t)length, 4);
        else if (length - 1 < 64) put(job, &stage[1], row, message, (uint32_t)length, 8);
        else if (length - 1 < 128) put(job, &stage[2], row, message, (uint32_t)length, 16);
        else hash_alone(job, row, message, length);
    }
    flush(job, &stage[0], 4), flush(job, &stage[1], 8), flush(job, &stage[2], 16);
    free(space);
}

static void run_portable(Job *job) { run(job); }
#if defined(__x86_64__)
__attribute__((target("avx2,bmi2"))) static void run_avx2(Job *job) { run(job); }
__attribute__((target("arch=x86-64-v4"))) static void run_avx512(Job *job) { run(job); }
#endif

int best_path(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("bmi2"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return 1;
#endif
    return 0;
}

void *hash_rows(void *given) {
    Job *job = given;
#if defined(__x86_64__)
    if (job->path == 2) return run_avx512(job), NULL;
    if (job->path == 1) return run_avx2(job), NULL;
#endif
    return run_portable(job), NULL;
}
