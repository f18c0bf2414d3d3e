/* Seals: HMAC-SHA-256 (RFC 2104, FIPS 180-4) over topic, a zero byte and the object. Where the chip
 * has SHA in hardware, replace `block` by it. */
#include "gatehouse.h"

#include <string.h>

#define BLOCK 64u
#define DIGEST 32u
#define START ",\"mac\":\""
#define START_BYTES 8u

typedef struct {
    uint32_t state[8];
    uint64_t length;
    uint8_t waiting[BLOCK];
} sha256;

static const uint32_t K[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u,
    0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu,
    0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu,
    0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u,
    0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
    0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u,
    0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u,
    0xc67178f2u,
};

static uint32_t rotate(uint32_t x, unsigned by) { return x >> by | x << (32 - by); }

static void block(uint32_t state[8], const uint8_t *bytes)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 |
               (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t high = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t one = s[7] + high + choice + K[i] + w[i];
        uint32_t low = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        uint32_t two = low + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void sha256_start(sha256 *hash)
{
    static const uint32_t first[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
    memcpy(hash->state, first, sizeof first);
    hash->length = 0;
}

static void sha256_add(sha256 *hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        hash->waiting[hash->length++ % BLOCK] = bytes[i];
        if (hash->length % BLOCK == 0)
            block(hash->state, hash->waiting);
    }
}

static void sha256_end(sha256 *hash, uint8_t digest[DIGEST])
{
    uint64_t bits = hash->length * 8;
    uint8_t byte = 0x80;
    do {
        sha256_add(hash, &byte, 1);
        byte = 0;
    } while (hash->length % BLOCK != BLOCK - 8);
    for (int i = 7; i >= 0; i--) {
        byte = (uint8_t)(bits >> (8 * i));
        sha256_add(hash, &byte, 1);
    }
    for (size_t i = 0; i < DIGEST; i++)
        digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

/* Begins a hash with the key, filled up to a block and mixed with `with`. */
static void keyed(sha256 *hash, const uint8_t key[GH_KEY_BYTES], uint8_t with)
{
    sha256_start(hash);
    for (size_t i = 0; i < BLOCK; i++) {
        uint8_t byte = (uint8_t)((i < GH_KEY_BYTES ? key[i] : 0) ^ with);
        sha256_add(hash, &byte, 1);
    }
}

/* The ending of a payload, without a zero after it. */
static void ending(const uint8_t key[GH_KEY_BYTES], const char *topic, const char *object,
                   size_t length, char out[GH_ENDING_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DIGEST];
    sha256 hash;
    keyed(&hash, key, 0x36);
    sha256_add(&hash, topic, strlen(topic) + 1);
    sha256_add(&hash, object, length);
    sha256_end(&hash, digest);
    keyed(&hash, key, 0x5c);
    sha256_add(&hash, digest, DIGEST);
    sha256_end(&hash, digest);
    memcpy(out, START, START_BYTES);
    for (size_t i = 0; i < DIGEST; i++) {
        out[START_BYTES + 2 * i] = digits[digest[i] >> 4];
        out[START_BYTES + 2 * i + 1] = digits[digest[i] & 15];
    }
    memcpy(out + GH_ENDING_BYTES - 2, "\"}", 2);
}

size_t gh_seal(const uint8_t key[GH_KEY_BYTES], const char *topic, char *object, size_t length,
               size_t capacity)
{
    if (capacity < GH_ENDING_BYTES || length > capacity - GH_ENDING_BYTES)
        return 0;
    ending(key, topic, object, length, object + length);
    return length + GH_ENDING_BYTES;
}

bool gh_is_sealed(const uint8_t key[GH_KEY_BYTES], const char *topic, const char *payload,
                  size_t length)
{
    char right[GH_ENDING_BYTES];
    unsigned differs = 0;
    if (length < GH_ENDING_BYTES)
        return false;
    length -= GH_ENDING_BYTES;
    ending(key, topic, payload, length, right);
    /* Every byte is looked at, so that the time tells nothing. */
    for (size_t i = 0; i < GH_ENDING_BYTES; i++)
        differs |= (unsigned char)right[i] ^ (unsigned char)payload[length + i];
    return differs == 0;
}
