/* The device's half of the Gatehouse protocol: frames, messages, seals, and the rules that keep
 * anything from moving twice or late. C99, no heap, no clock, no globals; ../docs says what it all
 * means, and ../tests/vectors/v1.txt holds the exact bytes.
 *
 * Everything here may be given any bytes whatever. Nothing is thread-safe: keep each struct in one
 * task. */
#ifndef GATEHOUSE_H
#define GATEHOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatehouse_protocol.h"

/* ---- Frames on a serial line ---- */

typedef struct {
    uint8_t address;
    uint8_t sequence;
    uint8_t kind;
    uint8_t length;
    uint8_t payload[GH_MAX_PAYLOAD];
} gh_frame;

/* Finds frames in a stream of bytes. Set it to zero before its first use. */
typedef struct {
    uint8_t collected[GH_MAX_ON_LINE];
    size_t length;
    bool overflowed;
} gh_decoder;

/* The frame's bytes on the line, delimiters included; gives how many. */
size_t gh_frame_encode(const gh_frame *frame, uint8_t line[GH_MAX_ON_LINE]);

/* Takes one byte; true where it completes a frame. */
bool gh_decoder_push(gh_decoder *decoder, uint8_t byte, gh_frame *frame);

/* ---- Messages on a serial line ---- */

typedef enum { GH_POLL, GH_HELLO, GH_COMMAND } gh_request_type;

typedef struct {
    gh_request_type type;
    gh_hello hello;         /* of GH_HELLO */
    gh_command command;     /* of GH_COMMAND */
    uint8_t verb;           /* of GH_COMMAND: the frame's kind, such as GH_BARRIER_KIND_OPEN */
    gh_allowance allowance; /* of a charger's enable and limit */
} gh_request;

/* False where the frame is no request to such a device. */
bool gh_barrier_request(const gh_frame *frame, gh_request *request);
bool gh_charger_request(const gh_frame *frame, gh_request *request);

/* Fill kind and payload of the answer; address and sequence are those of the question. */
void gh_barrier_status_encode(const gh_barrier_status *status, gh_frame *frame);
void gh_charger_status_encode(const gh_charger_status *status, gh_frame *frame);
void gh_barrier_reply_encode(const gh_reply *reply, gh_frame *frame);
void gh_charger_reply_encode(const gh_reply *reply, gh_frame *frame);

/* Whether a charger that can offer up to max_ma can do this. */
bool gh_allowance_is_possible(const gh_allowance *allowance, uint32_t max_ma);

/* ---- Seals over MQTT ---- */

/* Puts the seal in the place of the closing brace. `object` holds `length` bytes of JSON without
 * that brace and has room for `capacity`. Gives the new length; 0 where there is no room. */
size_t gh_seal(const uint8_t key[GH_KEY_BYTES], const char *topic, char *object, size_t length,
               size_t capacity);

/* Whether a payload that came on `topic` bears the seal of this key. Ask before anything else. */
bool gh_is_sealed(const uint8_t key[GH_KEY_BYTES], const char *topic, const char *payload,
                  size_t length);

/* ---- Fields of a message over MQTT ---- */

/* What the host says is one object without objects or lists in it. These find a field in it; false
 * where it is not there, is of another type, or the payload is no such object. */
bool gh_json_number(const char *payload, size_t length, const char *name, uint64_t *value);
bool gh_json_uuid(const char *payload, size_t length, const char *name, uint8_t id[16]);
/* Words of at most `capacity` - 1 characters without escapes; ends them with a zero. */
bool gh_json_word(const char *payload, size_t length, const char *name, char *word,
                  size_t capacity);

/* Reads what is common to all of them; the verb's own fields are the caller's. */
bool gh_json_hello(const char *payload, size_t length, gh_hello *hello);
bool gh_json_command(const char *payload, size_t length, gh_command *command, uint64_t *counter);

/* ---- Sessions and commands ---- */

typedef struct {
    uint8_t id[16];
    uint64_t forget_at_ms;
    uint8_t verdict;
    uint8_t reason;
} gh_seen;

/* A device in one run. `now_ms` is always its own counter since its start. */
typedef struct {
    uint32_t boot;
    uint32_t session;
    uint64_t host_ms;
    uint64_t own_ms;
    uint64_t counter;
    gh_seen seen[GH_REMEMBERED];
    size_t count;
} gh_device;

/* When and how a command came. */
typedef struct {
    uint64_t now_ms;
    bool numbered;    /* whether commands are sealed; then `counter` counts */
    uint64_t counter;
    bool stale;       /* retained by the broker, or over by the device's own clock */
} gh_arrival;

/* The reasons of the kind of device, such as GH_CHARGER_REFUSAL_BUSY. */
typedef struct {
    uint8_t busy;
    uint8_t too_long;
} gh_reasons;

/* Starts a run. `counter` is what flash holds; 0 on a new device. */
void gh_device_start(gh_device *device, uint32_t boot, uint64_t counter);

/* Takes a hello, where it is one to take. Answer it if so. */
bool gh_device_hello(gh_device *device, const gh_hello *hello, uint64_t now_ms);

/* Judges a command and fills in the answer. True: write device->counter to flash where commands are
 * numbered, do what was asked, and call gh_device_refused where it could not be done. False: do
 * nothing. Then send the answer. */
bool gh_device_judge(gh_device *device, const gh_command *command, const gh_arrival *arrival,
                     const gh_reasons *reasons, gh_reply *reply);

/* What was to be done could not be done, for this reason. */
void gh_device_refused(gh_device *device, gh_reply *reply, uint8_t reason);

#endif
