/* The last block of LANES records at once, on the compiler's vector types: included once for
   each number of lanes. Only the first 16 bytes of each digest are asked for. */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name, LANES)
#define V NAME(lanes)

typedef uint64_t V __attribute__((vector_size(LANES * 8)));
#define SHUFFLE __builtin_shufflevector

#if LANES == 4
/* 256-bit registers have no rotation; by whole bytes it is a shuffle. */
typedef uint8_t bytes4 __attribute__((vector_size(32)));
typedef uint32_t halves4 __attribute__((vector_size(32)));
INLINE V rotate32(V x) {
    return (V)SHUFFLE((halves4)x, (halves4)x, 1, 0, 3, 2, 5, 4, 7, 6);
}
#define BY_BYTES(name, a, b, c, d, e, f, g, h)                                              \
    INLINE V name(V x) {                                                                    \
        return (V)SHUFFLE((bytes4)x, (bytes4)x, a, b, c, d, e, f, g, h, a + 8, b + 8,       \
                          c + 8, d + 8, e + 8, f + 8, g + 8, h + 8, a + 16, b + 16, c + 16, \
                          d + 16, e + 16, f + 16, g + 16, h + 16, a + 24, b + 24, c + 24,   \
                          d + 24, e + 24, f + 24, g + 24, h + 24);                          \
    }
BY_BYTES(rotate24, 3, 4, 5, 6, 7, 0, 1, 2)
BY_BYTES(rotate16, 2, 3, 4, 5, 6, 7, 0, 1)
INLINE V rotate63(V x) { return (x + x) | (x >> 63); }
#undef ROT
#define ROT(x, n) rotate##n(x)

/* Word i of the messages becomes vector i. */
INLINE void NAME(transpose)(const uint8_t *texts, V *m, const int words) {
    const int row = words * 8;
    for (int i = 0; i < words; i += 4) {
        V r[4];
        for (int k = 0; k < 4; k++) memcpy(&r[k], texts + k * row + i * 8, 32);
        V a = SHUFFLE(r[0], r[1], 0, 4, 2, 6), b = SHUFFLE(r[0], r[1], 1, 5, 3, 7);
        V c = SHUFFLE(r[2], r[3], 0, 4, 2, 6), d = SHUFFLE(r[2], r[3], 1, 5, 3, 7);
        m[i] = SHUFFLE(a, c, 0, 1, 4, 5), m[i + 1] = SHUFFLE(b, d, 0, 1, 4, 5);
        m[i + 2] = SHUFFLE(a, c, 2, 3, 6, 7), m[i + 3] = SHUFFLE(b, d, 2, 3, 6, 7);
    }
}
#define FIRST 0, 4, 1, 5
#define SECOND 2, 6, 3, 7
#else
#define LOW 0, 4, 8, 12, 1, 5, 9, 13
#define HIGH 2, 6, 10, 14, 3, 7, 11, 15
#define FRONT 0, 1, 2, 3, 8, 9, 10, 11
#define BACK 4, 5, 6, 7, 12, 13, 14, 15
typedef uint64_t half8 __attribute__((vector_size(32)));
INLINE V pair8(const uint8_t *first, const uint8_t *second) {
    half8 a, b;
    memcpy(&a, first, 32), memcpy(&b, second, 32);
    return SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* Word i of the messages becomes vector i. */
INLINE void NAME(transpose)(const uint8_t *texts, V *m, const int words) {
    const int row = words * 8;
    for (int i = 0; i < words; i += 4) {
        const uint8_t *at = texts + i * 8;
        V p = pair8(at, at + row), q = pair8(at + 2 * row, at + 3 * row);
        V r = pair8(at + 4 * row, at + 5 * row), s = pair8(at + 6 * row, at + 7 * row);
        V a = SHUFFLE(p, q, LOW), b = SHUFFLE(r, s, LOW);
        V c = SHUFFLE(p, q, HIGH), d = SHUFFLE(r, s, HIGH);
        m[i] = SHUFFLE(a, b, FRONT), m[i + 1] = SHUFFLE(a, b, BACK);
        m[i + 2] = SHUFFLE(c, d, FRONT), m[i + 3] = SHUFFLE(c, d, BACK);
    }
}
#define FIRST 0, 8, 1, 9, 2, 10, 3, 11
#define SECOND 4, 12, 5, 13, 6, 14, 7, 15
#endif

INLINE void NAME(last_block)(const uint64_t h[8], const V *m, V count, V out[2], const int words) {
    V zero = {0};
    V v0 = zero + h[0], v1 = zero + h[1], v2 = zero + h[2], v3 = zero + h[3];
    V v4 = zero + h[4], v5 = zero + h[5], v6 = zero + h[6], v7 = zero + h[7];
    V v8 = zero + IV[0], v9 = zero + IV[1], v10 = zero + IV[2], v11 = zero + IV[3];
    V v12 = count ^ IV[4], v13 = zero + IV[5], v14 = zero + ~IV[6], v15 = zero + IV[7];
    ALL_ROUNDS;
    out[0] = v0 ^ v8 ^ h[0], out[1] = v1 ^ v9 ^ h[1];
}

/* Writes the digests and their views; rows that follow each other go out in one piece. */
INLINE void NAME(write)(Job *job, const uint64_t *rows, const V digest[2], int filled) {
    V row;
    memcpy(&row, rows, sizeof row);
    V head = digest[0] << 32 | DIGEST;
    V tail = (row % ROWS_PER_BUFFER * DIGEST) << 32 | row / ROWS_PER_BUFFER;
    V bytes[2] = {SHUFFLE(digest[0], digest[1], FIRST),
                  SHUFFLE(digest[0], digest[1], SECOND)};
    V views[2] = {SHUFFLE(head, tail, FIRST), SHUFFLE(head, tail, SECOND)};
    if (filled == LANES && rows[LANES - 1] - rows[0] == LANES - 1) {
        memcpy(job->digests + 2 * rows[0], bytes, sizeof bytes);
        memcpy(job->views + rows[0], views, sizeof views);
        return;
    }
    for (int lane = 0; lane < filled; lane++) {
        memcpy(job->digests + 2 * rows[lane], (uint64_t *)bytes + 2 * lane, 16);
        memcpy(job->views + rows[lane], (uint64_t *)views + 2 * lane, 16);
    }
}

INLINE void NAME(flush_lanes)(Job *job, Stage *stage, const int words) {
    for (int at = 0; at < stage->filled; at += LANES) {
        int left = stage->filled - at;
        V m[16], digest[2], count;
        memcpy(&count, &stage->count[at], sizeof count);
        NAME(transpose)(stage->texts + at * words * 8, m, words);
        NAME(last_block)(job->mid, m, count, digest, words);
        NAME(write)(job, &stage->row[at], digest, left < LANES ? left : LANES);
    }
    stage->filled = 0;
}

#undef ROT
#define ROT ROTATE
#undef SHUFFLE
#undef FIRST
#undef SECOND
#undef NAME
#undef V
#undef JOIN
#undef JOIN_
