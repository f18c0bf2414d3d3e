/* Gives each file that is named to gh_fuzz, and prints what it made of it: a line of hex digits. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

size_t gh_fuzz(const uint8_t *data, size_t length, uint8_t *out, size_t capacity);

int main(int count, char **names)
{
    static uint8_t read[1 << 16], out[1 << 18];
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        if (!file)
            return 1;
        size_t length = fread(read, 1, sizeof read, file);
        fclose(file);
        /* Of this very size, so that a look beyond the end is seen. */
        uint8_t *data = malloc(length + !length);
        if (!data)
            return 1;
        for (size_t j = 0; j < length; j++)
            data[j] = read[j];
        size_t made = gh_fuzz(data, length, out, sizeof out);
        free(data);
        for (size_t j = 0; j < made; j++)
            printf("%02x", out[j]);
        printf("\n");
    }
    return 0;
}
