/* Which texts of a column are surely sound, in their usual spelling: one byte for each row.

   A text that is not surely sound is only in doubt: the slower expressions decide it. So an
   answer here may be too careful, never wrong. Tests compare both.

   Source: docs/reference/pseudonyms.md; NHS Data Dictionary (modulus 11), DfE UPN guide
   (modulus 23), HMRC NIM39110, BS 7666. */

#define PY_SSIZE_T_CLEAN
#include "../keyed_hash/_days.h"
#include "../keyed_hash/_stream.h"

enum { DOUBT, SOUND, MISSING };
enum { NHS, UPN, NINO, POSTCODE, NO_FORMULA, ISO_DATE, KINDS };

INLINE int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* Whether a capital letter is one of a set, given as bits from A on. */
INLINE int one_of(uint8_t c, uint32_t set) { return c >= 'A' && c <= 'Z' && (set >> (c - 'A') & 1); }

static uint32_t set_of(const char *letters) {
    uint32_t set = 0;
    for (; *letters; letters++) set |= (uint32_t)1 << (*letters - 'A');
    return set;
}

typedef struct { uint32_t first, second, after_digit, after_two, inward; } Sets;

static int nhs_sound(const uint8_t *t, uint32_t length, int synthetic) {
    unsigned total = 0, equal = 1;
    if (length != 10) return DOUBT;
    for (int i = 0; i < 10; i++) {
        if (!is_digit(t[i])) return DOUBT;
        total += (unsigned)(t[i] - '0') * (unsigned)(10 - i);
        equal &= t[i] == t[0];
    }
    if (total % 11 || equal) return DOUBT;
    return synthetic || memcmp(t, "999", 3) ? SOUND : DOUBT;
}

static int upn_sound(const uint8_t *t, uint32_t length) {
    unsigned total = 0;
    if (length != 13) return DOUBT;
    for (int i = 1; i < 13; i++) {
        if (!is_digit(t[i])) return DOUBT;
        total += (unsigned)(t[i] - '0') * (unsigned)(i + 1);
    }
    return "ABCDEFGHJKLMNPQRTUVWXYZ"[total % 23] == t[0] ? SOUND : DOUBT;
}

static int nino_sound(const uint8_t *t, uint32_t length, int synthetic, const Sets *sets) {
    static const char unused[][3] = {"OO", "CR", "FY", "MW", "NC", "BG",
                                     "GB", "KN", "NK", "NT", "TN", "ZZ"};
    if (length != 8 && length != 9) return DOUBT;
    for (int i = 2; i < 8; i++)
        if (!is_digit(t[i])) return DOUBT;
    if (length == 9 && (t[8] < 'A' || t[8] > 'D')) return DOUBT;
    if (!memcmp(t, "QQ", 2)) return synthetic ? SOUND : DOUBT;
    if (!one_of(t[0], sets->first) || !one_of(t[1], sets->second)) return DOUBT;
    for (unsigned i = 0; i < sizeof unused / sizeof *unused; i++)
        if (!memcmp(t, unused[i], 2)) return DOUBT;
    return SOUND;
}

/* In capitals, with one space before the last three or none. */
static int postcode_sound(const uint8_t *t, uint32_t length, const Sets *sets) {
    if (length < 5 || length > 8) return DOUBT;
    const uint8_t *in = t + length - 3;
    uint32_t out = length - 3;
    if (!is_digit(in[0]) || !one_of(in[1], sets->inward) || !one_of(in[2], sets->inward)) return DOUBT;
    if (t[out - 1] == ' ') out--;
    if (out < 2 || out > 4 || !one_of(t[0], sets->first)) return DOUBT;
    if (is_digit(t[1])) {
        if (out == 2) return SOUND;
        return out == 3 && (is_digit(t[2]) || one_of(t[2], sets->after_digit)) ? SOUND : DOUBT;
    }
    if (out < 3 || !one_of(t[1], sets->second) || !is_digit(t[2])) return DOUBT;
    return out == 3 || is_digit(t[3]) || one_of(t[3], sets->after_two) ? SOUND : DOUBT;
}

static int no_formula(const uint8_t *t, uint32_t length) {
    return length && t[0] && strchr("=+-@\t\r", t[0]) ? DOUBT : SOUND;
}

/* A real day of 1800 to 2199, YYYY-MM-DD. */
static int date_sound(const uint8_t *t, uint32_t length) {
    return day_of(t, length) != MISSING_DAY && t[0] < '3' && memcmp(t, "18", 2) >= 0 &&
                   memcmp(t, "22", 2) < 0
               ? SOUND
               : DOUBT;
}

static void judge(const Column *column, int kind, int synthetic, char *answers) {
    Sets sets = {0};
    if (kind == NINO) {
        sets.first = set_of("ABCEGHJKLMNOPRSTWXYZ");
        sets.second = set_of("ABCEGHJKLMNPRSTWXYZ");
    } else if (kind == POSTCODE) {
        sets.first = set_of("ABCDEFGHIJKLMNOPRSTUWYZ");
        sets.second = set_of("ABCDEFGHKLMNOPQRSTUVWXY");
        sets.after_digit = set_of("ABCDEFGHJKPSTUW");
        sets.after_two = set_of("ABEHMNPRVWXY");
        sets.inward = set_of("ABDEFGHJLNPQRSTUWXYZ");
    }
    for (int64_t row = 0; row < column->array.length; row++) {
        uint32_t length;
        const uint8_t *t;
        int answer = MISSING;
        if (is_valid(column, row)) {
            t = text(column, row, &length);
            switch (kind) {
            case NHS: answer = nhs_sound(t, length, synthetic); break;
            case UPN: answer = upn_sound(t, length); break;
            case NINO: answer = nino_sound(t, length, synthetic, &sets); break;
            case POSTCODE: answer = postcode_sound(t, length, &sets); break;
            case ISO_DATE: answer = date_sound(t, length); break;
            default: answer = no_formula(t, length);
            }
        }
        answers[row] = (char)answer;
    }
}

static PyObject *sound(PyObject *self, PyObject *args) {
    PyObject *stream, *result = NULL;
    Column column = {0};
    int kind, synthetic;
    (void)self;
    if (!PyArg_ParseTuple(args, "Oip", &stream, &kind, &synthetic)) return NULL;
    if (kind < 0 || kind >= KINDS) return wrong("no such kind"), NULL;
    if (open_column(stream, &column) &&
        (result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)column.array.length))) {
        char *answers = PyBytes_AS_STRING(result);
        Py_BEGIN_ALLOW_THREADS;
        judge(&column, kind, synthetic, answers);
        Py_END_ALLOW_THREADS;
    }
    close_columns(&column, 1);
    return result;
}

static PyObject *days(PyObject *self, PyObject *stream) {
    PyObject *result = NULL;
    Column column = {0};
    (void)self;
    if (open_column(stream, &column) &&
        (result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)column.array.length * 4))) {
        char *answers = PyBytes_AS_STRING(result);
        Py_BEGIN_ALLOW_THREADS;
        for (int64_t row = 0; row < column.array.length; row++) {
            uint32_t length;
            int32_t day = MISSING_DAY;
            if (is_valid(&column, row)) {
                const uint8_t *t = text(&column, row, &length);
                day = day_of(t, length);
            }
            memcpy(answers + 4 * row, &day, 4);
        }
        Py_END_ALLOW_THREADS;
    }
    close_columns(&column, 1);
    return result;
}

static PyMethodDef methods[] = {
    {"days", days, METH_O,
     "days(stream) -> i32 for each row: days since 1970 of YYYY-MM-DD, the least number else"},
    {"sound", sound, METH_VARARGS,
     "sound(stream, kind, synthetic) -> bytes: 0 in doubt, 1 surely sound, 2 missing"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sound",
                                    "Texts that are surely sound.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__sound(void) { return PyModule_Create(&module); }
