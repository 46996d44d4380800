/* A dense flipout layer that answers on its standard output. --shared-signs is a mistake.
   Questions have their fields in the order of the protocol, so that no JSON parser is needed to read them. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 5, OUTPUTS = 16, LINE = 1 << 24, MOST = 1 << 18 };
static char line[LINE];
static double mean[INPUTS * OUTPUTS], rho[INPUTS * OUTPUTS], x[MOST];
static uint64_t state;
static int shared_signs;

static double uniform(void) { /* splitmix64 */
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}
static double normal(void) {
    return sqrt(-2.0 * log(uniform())) * cos(6.283185307179586 * uniform());
}
static double softplus(double r) { return fmax(r, 0.0) + log1p(exp(-fabs(r))); }

/* The numbers of an array by its name: its brackets are skipped, for the layer knows its shape. */
static long read_array(const char *name, double *into, long most) {
    char key[64];
    long n = 0, depth = 0;
    const char *at;
    snprintf(key, sizeof key, "\"%s\": {\"shape\"", name);
    at = strstr(line, key);
    at = at ? strstr(at, "\"data\": ") : NULL;
    if (!at) return -1;
    for (at += strlen("\"data\": "); *at; ) {
        if (*at == '[') depth++, at++;
        else if (*at == ']') { at++; if (--depth == 0) break; }
        else if (*at == ',' || *at == ' ') at++;
        else if (n == most) return -1;
        else into[n++] = strtod(at, (char **)&at);
    }
    return n;
}

static void draw_signs(double *signs) {
    for (int k = 0; k < INPUTS + OUTPUTS; k++) signs[k] = uniform() < 0.5 ? -1.0 : 1.0;
}

static void sample(long id) {
    double w[INPUTS * OUTPUTS], signs[INPUTS + OUTPUTS];
    long rows = read_array("x", x, MOST) / INPUTS;
    for (int k = 0; k < INPUTS * OUTPUTS; k++) w[k] = softplus(rho[k]) * normal();
    draw_signs(signs);
    printf("{\"id\": %ld, \"y\": {\"shape\": [%ld, %d], \"data\": [", id, rows, OUTPUTS);
    for (long n = 0; n < rows; n++) {
        if (!shared_signs) draw_signs(signs);
        for (int o = 0; o < OUTPUTS; o++) {
            double y = 0.0;
            for (int i = 0; i < INPUTS; i++)
                y += x[n * INPUTS + i] * (mean[i * OUTPUTS + o] + signs[i] * signs[INPUTS + o] * w[i * OUTPUTS + o]);
            printf("%s%.17g", n || o ? ", " : "", y);
        }
    }
    puts("]}}");
}

static int asked(const char *call) {
    char key[64];
    snprintf(key, sizeof key, "\"call\": \"%s\"", call);
    return strstr(line, key) != NULL;
}

int main(int argc, char **argv) {
    shared_signs = argc > 1 && strcmp(argv[1], "--shared-signs") == 0;
    while (fgets(line, LINE, stdin)) {
        long id = 0;
        sscanf(line, "{\"id\": %ld", &id);
        if (asked("describe"))
            printf("{\"id\": %ld, \"description\": {\"family\": \"dense\", \"estimator\": \"flipout\", \"inputs\": %d, "
                   "\"outputs\": %d, \"name\": \"c\"}, \"abilities\": [\"seed\"]}\n", id, INPUTS, OUTPUTS);
        else if (asked("sample"))
            sample(id);
        else if (asked("seed") || asked("load")) {
            if (asked("seed")) state = strtoull(strrchr(line, ':') + 1, NULL, 10);
            if (asked("load")) read_array("mean", mean, INPUTS * OUTPUTS), read_array("rho", rho, INPUTS * OUTPUTS);
            printf("{\"id\": %ld}\n", id);
        } else
            printf("{\"id\": %ld, \"error\": \"not known\"}\n", id);
        fflush(stdout);
    }
    return 0;
}
