/* Days since 1970-01-01 and ISO texts of them, years 1000 to 9999.

   Source: ISO 8601; the Gregorian calendar, carried back. */

#ifndef GATEWAY_DAYS_H
#define GATEWAY_DAYS_H

#include <stdint.h>

static const int32_t MISSING_DAY = INT32_MIN;

static inline int two(const uint8_t *t) {
    unsigned high = (unsigned)t[0] - '0', low = (unsigned)t[1] - '0';
    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

static inline int is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/* Days from 1970-01-01 to 1 January of a year from 1 on. */
static inline int32_t before_year(int year) {
    int y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static const int BEFORE_MONTH[2][13] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};

/* The day of a text YYYY-MM-DD from year 1000 on; MISSING_DAY of any other. */
static inline int32_t day_of(const uint8_t *t, uint32_t length) {
    int century, year, month, day, leap;
    if (length != 10 || t[4] != '-' || t[7] != '-') return MISSING_DAY;
    century = two(t), year = two(t + 2), month = two(t + 5), day = two(t + 8);
    if (century < 10 || year < 0 || month < 1 || month > 12 || day < 1) return MISSING_DAY;
    year += century * 100;
    leap = is_leap(year);
    if (day > BEFORE_MONTH[leap][month] - BEFORE_MONTH[leap][month - 1]) return MISSING_DAY;
    return before_year(year) + BEFORE_MONTH[leap][month - 1] + day - 1;
}

static inline void put_two(uint8_t *t, int number) {
    t[0] = (uint8_t)('0' + number / 10);
    t[1] = (uint8_t)('0' + number % 10);
}

/* Writes YYYY-MM-DD; 0 for a day that is not in the years 1000 to 9999. */
static inline int text_of(int32_t day, uint8_t *t) {
    int year, month, leap, rest;
    if (day < -354285 || day > 2932896) return 0;
    year = 1970 + (day < 0 ? day / 365 - 1 : day / 366); /* never too late */
    while (before_year(year + 1) <= day) year++;
    leap = is_leap(year);
    rest = day - before_year(year);
    month = rest / 32;
    while (BEFORE_MONTH[leap][month + 1] <= rest) month++;
    put_two(t, year / 100), put_two(t + 2, year % 100), put_two(t + 5, month + 1);
    put_two(t + 8, rest - BEFORE_MONTH[leap][month] + 1);
    t[4] = t[7] = '-';
    return 1;
}

#endif
