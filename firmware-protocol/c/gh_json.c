/* Fields of one flat JSON object, without a copy and without a tree. */
#include "gatehouse.h"

#include <string.h>

typedef struct {
    const char *next;
    const char *end;
} text;

static void skip_space(text *in)
{
    while (in->next < in->end && memchr(" \t\r\n", *in->next, 4))
        in->next++;
}

static bool skip(text *in, char wanted)
{
    skip_space(in);
    if (in->next == in->end || *in->next != wanted)
        return false;
    in->next++;
    return true;
}

/* Takes a string; `body` is what is between the quotes, escapes as they stand. */
static bool string(text *in, text *body)
{
    if (!skip(in, '"'))
        return false;
    body->next = in->next;
    for (; in->next < in->end; in->next++) {
        if ((unsigned char)*in->next < 0x20)
            return false;
        if (*in->next == '"') {
            body->end = in->next++;
            return true;
        }
        if (*in->next == '\\' && ++in->next == in->end)
            return false;
    }
    return false;
}

/* Takes a number or a word such as true, as it stands. */
static bool literal(text *in, text *body)
{
    skip_space(in);
    body->next = in->next;
    while (in->next < in->end && !memchr(" \t\r\n,}[{\"", *in->next, 9))
        in->next++;
    body->end = in->next;
    return body->next < body->end;
}

static bool is_named(const text *name, const char *wanted)
{
    size_t length = strlen(wanted);
    return (size_t)(name->end - name->next) == length && !memcmp(name->next, wanted, length);
}

/* The value of a field: its text, and whether it is a string. The first of that name counts. */
static bool find(const char *payload, size_t length, const char *wanted, text *value, bool *quoted)
{
    text in = {payload, payload + length}, name, body;
    bool found = false, is_string;
    if (!skip(&in, '{'))
        return false;
    do {
        if (!string(&in, &name) || !skip(&in, ':'))
            return false;
        skip_space(&in);
        is_string = in.next < in.end && *in.next == '"';
        if (!(is_string ? string(&in, &body) : literal(&in, &body)))
            return false;
        if (!found && is_named(&name, wanted)) {
            found = true;
            *value = body;
            *quoted = is_string;
        }
    } while (skip(&in, ','));
    if (!skip(&in, '}'))
        return false;
    skip_space(&in);
    return found && in.next == in.end;
}

bool gh_json_number(const char *payload, size_t length, const char *name, uint64_t *value)
{
    text body;
    bool quoted;
    uint64_t number = 0;
    if (!find(payload, length, name, &body, &quoted) || quoted)
        return false;
    for (; body.next < body.end; body.next++) {
        unsigned digit = (unsigned)*body.next - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = 10 * number + digit;
    }
    *value = number;
    return true;
}

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool gh_json_uuid(const char *payload, size_t length, const char *name, uint8_t id[16])
{
    text body;
    bool quoted;
    if (!find(payload, length, name, &body, &quoted) || !quoted || body.end - body.next != 36)
        return false;
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *body.next++ != '-')
            return false;
        int high = hex(body.next[0]), low = hex(body.next[1]);
        if (high < 0 || low < 0)
            return false;
        id[i] = (uint8_t)(high << 4 | low);
        body.next += 2;
    }
    return true;
}

bool gh_json_word(const char *payload, size_t length, const char *name, char *word, size_t capacity)
{
    text body;
    bool quoted;
    if (!find(payload, length, name, &body, &quoted) || !quoted)
        return false;
    size_t size = (size_t)(body.end - body.next);
    if (size >= capacity || memchr(body.next, '\\', size))
        return false;
    memcpy(word, body.next, size);
    word[size] = 0;
    return true;
}

static bool number_u32(const char *payload, size_t length, const char *name, uint32_t *value)
{
    uint64_t number;
    if (!gh_json_number(payload, length, name, &number) || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

bool gh_json_hello(const char *payload, size_t length, gh_hello *hello)
{
    return number_u32(payload, length, "boot_id", &hello->boot) &&
           number_u32(payload, length, "session", &hello->session) &&
           gh_json_number(payload, length, "now_ms", &hello->now_ms);
}

bool gh_json_command(const char *payload, size_t length, gh_command *command, uint64_t *counter)
{
    return gh_json_uuid(payload, length, "cmd_id", command->id) &&
           number_u32(payload, length, "boot_id", &command->boot) &&
           number_u32(payload, length, "session", &command->session) &&
           gh_json_number(payload, length, "deadline_ms", &command->expires_at_ms) &&
           gh_json_number(payload, length, "counter", counter);
}
