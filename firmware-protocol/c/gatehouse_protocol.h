/* Made from the crate firmware-protocol by its tests; do not edit. */
#ifndef GATEHOUSE_PROTOCOL_H
#define GATEHOUSE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#define GH_VERSION 1u
#define GH_MAX_PAYLOAD 96u
#define GH_MAX_ON_LINE 107u
#define GH_MAX_COMMAND_LIFE_MS 10000u
#define GH_REMEMBERED 32u
#define GH_KEY_BYTES 32u
#define GH_ENDING_BYTES 74u
#define GH_MAX_DOORS 32u
#define GH_MAX_CODE 64u
#define GH_MIN_OFFER_MA 6000u
#define GH_MAX_LEASE_S 3600u
#define GH_KIND_POLL 1u
#define GH_KIND_HELLO 2u
#define GH_BARRIER_KIND_OPEN 3u
#define GH_BARRIER_KIND_CLOSE 4u
#define GH_BARRIER_KIND_STATUS 129u
#define GH_BARRIER_KIND_REPLY 130u
#define GH_CHARGER_KIND_ENABLE 16u
#define GH_CHARGER_KIND_DISABLE 17u
#define GH_CHARGER_KIND_LIMIT 18u
#define GH_CHARGER_KIND_STATUS 144u
#define GH_CHARGER_KIND_REPLY 145u

enum { GH_VERDICT_ACCEPTED = 0, GH_VERDICT_EXPIRED = 1, GH_VERDICT_REFUSED = 2 };

enum {
    GH_BARRIER_ARM_CLOSED = 0,
    GH_BARRIER_ARM_OPENING = 1,
    GH_BARRIER_ARM_OPEN = 2,
    GH_BARRIER_ARM_CLOSING = 3,
    GH_BARRIER_ARM_STOPPED = 4,
    GH_BARRIER_ARM_FAULT = 5,
};

enum {
    GH_BARRIER_POWER_MAINS = 0,
    GH_BARRIER_POWER_BATTERY = 1,
};

enum {
    GH_BARRIER_REFUSAL_UNDER_ARM = 0,
    GH_BARRIER_REFUSAL_FAULT = 1,
    GH_BARRIER_REFUSAL_BUSY = 2,
    GH_BARRIER_REFUSAL_TOO_LONG = 3,
    GH_BARRIER_REFUSAL_UNAUTHENTICATED = 4,
};

enum {
    GH_CHARGER_PILOT_UNPLUGGED = 0,
    GH_CHARGER_PILOT_PLUGGED = 1,
    GH_CHARGER_PILOT_CHARGING = 2,
    GH_CHARGER_PILOT_VENTILATION = 3,
    GH_CHARGER_PILOT_ERROR = 4,
};

enum {
    GH_CHARGER_FAULT_NONE = 0,
    GH_CHARGER_FAULT_RESIDUAL = 1,
    GH_CHARGER_FAULT_OVER_CURRENT = 2,
    GH_CHARGER_FAULT_VOLTAGE = 3,
    GH_CHARGER_FAULT_TEMPERATURE = 4,
    GH_CHARGER_FAULT_CONTACTOR = 5,
    GH_CHARGER_FAULT_PILOT = 6,
    GH_CHARGER_FAULT_METER = 7,
    GH_CHARGER_FAULT_OTHER = 8,
};

enum {
    GH_CHARGER_REFUSAL_FAULT = 0,
    GH_CHARGER_REFUSAL_BUSY = 1,
    GH_CHARGER_REFUSAL_TOO_LONG = 2,
    GH_CHARGER_REFUSAL_OUT_OF_RANGE = 3,
    GH_CHARGER_REFUSAL_UNAUTHENTICATED = 4,
};

enum {
    GH_LOCKER_LOCK_LOCKED = 0,
    GH_LOCKER_LOCK_UNLOCKED = 1,
    GH_LOCKER_LOCK_JAMMED = 2,
};

enum {
    GH_LOCKER_DENIAL_WRONG_CODE = 0,
    GH_LOCKER_DENIAL_LOCKED_OUT = 1,
    GH_LOCKER_DENIAL_OVER = 2,
    GH_LOCKER_DENIAL_UNAVAILABLE = 3,
};

enum {
    GH_LOCKER_EVENT_UNLOCKED = 0,
    GH_LOCKER_EVENT_OPENED = 1,
    GH_LOCKER_EVENT_CLOSED = 2,
    GH_LOCKER_EVENT_RELOCKED = 3,
    GH_LOCKER_EVENT_JAMMED = 4,
    GH_LOCKER_EVENT_LEFT_OPEN = 5,
    GH_LOCKER_EVENT_FORCED = 6,
};

enum {
    GH_LOCKER_REFUSAL_JAMMED = 0,
    GH_LOCKER_REFUSAL_BUSY = 1,
    GH_LOCKER_REFUSAL_TOO_LONG = 2,
    GH_LOCKER_REFUSAL_NO_SUCH_DOOR = 3,
    GH_LOCKER_REFUSAL_UNAUTHENTICATED = 4,
};

typedef struct {
    uint32_t boot;
    uint32_t session;
    uint64_t now_ms;
} gh_hello;

typedef struct {
    uint32_t boot;
    uint32_t session;
    uint8_t id[16];
    uint64_t expires_at_ms;
} gh_command;

typedef struct {
    uint8_t id[16];
    bool duplicate;
    uint8_t verdict;
    uint8_t reason;
} gh_reply;

typedef struct {
    uint32_t limit_ma;
    uint16_t lease_s;
    uint32_t fallback_ma;
} gh_allowance;

typedef struct {
    uint32_t boot;
    uint32_t session;
    uint32_t uptime_s;
    uint8_t arm;
    uint8_t power;
    bool under_arm;
    bool in_front;
    bool fire;
    uint16_t under_arm_count;
    uint16_t in_front_count;
    uint32_t press;
} gh_barrier_status;

typedef struct {
    uint64_t energy_wh;
    uint32_t power_w;
    uint32_t current_ma[3];
    uint32_t voltage_mv[3];
} gh_meter;

typedef struct {
    uint32_t boot;
    uint32_t session;
    uint64_t uptime_ms;
    uint8_t pilot;
    uint8_t fault;
    bool enabled;
    bool closed;
    uint32_t limit_ma;
    uint16_t lease_s;
    uint16_t plugged_count;
    uint16_t fault_count;
    bool has_meter;
    gh_meter meter;
} gh_charger_status;

#endif
