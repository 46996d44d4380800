/* Holds a flipout layer to dense_flipout.txt. Written from the README of the exported folder alone.
   cc -std=c99 -O1 -Wall -Wextra -Werror -o consumer consumer.c -lm && ./consumer dense_flipout.txt */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = 8, ARRAYS = 16, NAME = 64 };

typedef struct {
    char name[NAME];
    int compared;
    double absolute;
    long length[AXES], size;
    double *data;
} Array;

static void expect(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "cannot read %s\n", what);
        exit(2);
    }
}

static Array read_array(FILE *file, int is_output, int is_float32) {
    Array a = {.size = 1};
    char word[NAME];
    int axes;
    expect(fscanf(file, "%63s %63s", word, a.name) == 2 && !strcmp(word, is_output ? "output" : "input"), "an array");
    if (is_output) expect(fscanf(file, "%d %lf", &a.compared, &a.absolute) == 2, a.name);
    expect(fscanf(file, "%d", &axes) == 1 && axes >= 0 && axes <= AXES, a.name);
    for (int k = 0; k < axes; k++) {
        expect(fscanf(file, "%ld", &a.length[k]) == 1 && a.length[k] >= 0 && a.length[k] <= 1000, a.name);
        a.size *= a.length[k];
        expect(a.size <= 1000000, a.name);
    }
    a.data = malloc(sizeof(double) * (size_t)(a.size + 1));
    expect(a.data != NULL, "more: no memory");
    for (long k = 0; k < a.size; k++) {
        expect(fscanf(file, "%lf", &a.data[k]) == 1, a.name);
        if (is_float32) a.data[k] = (float)a.data[k];
    }
    return a;
}

static const Array *find(const Array *arrays, int n, const char *name) {
    for (int k = 0; k < n; k++)
        if (!strcmp(arrays[k].name, name)) return &arrays[k];
    expect(0, name);
    return NULL;
}

static double softplus(double r) { return fmax(r, 0.0) + log1p(exp(-fabs(r))); }
static double sigmoid(double r) { return r < 0 ? exp(r) / (1.0 + exp(r)) : 1.0 / (1.0 + exp(-r)); }

/* One output of the layer, by its name, into `out`, which holds zeros. */
static void layer(const Array *in, int n_in, const char *output, double *out) {
    const Array *X = find(in, n_in, "x"), *W = find(in, n_in, "mu");
    const double *x = X->data, *mu = W->data, *rho = find(in, n_in, "rho")->data, *eps = find(in, n_in, "eps")->data;
    const double *g = find(in, n_in, "grad_y")->data;
    const double *r = find(in, n_in, "sign_in")->data, *s = find(in, n_in, "sign_out")->data;
    const double m0 = find(in, n_in, "prior_mean")->data[0], s0 = find(in, n_in, "prior_scale")->data[0];
    const long N = X->length[0], I = W->length[0], O = W->length[1];
    for (long w = 0; w < I * O; w++) {
        double sigma = softplus(rho[w]), log_sigma = rho[w] < -30.0 ? rho[w] : log(sigma);
        double slope = rho[w] < -30.0 ? 1.0 : sigmoid(rho[w]) / sigma; /* of log_sigma by rho */
        double shift = (mu[w] - m0) / s0, ratio = sigma / s0;
        if (!strcmp(output, "kl")) out[0] += log(s0) - log_sigma + (ratio * ratio + shift * shift - 1.0) / 2.0;
        if (!strcmp(output, "kl_grad_mu")) out[w] = shift / s0;
        if (!strcmp(output, "kl_grad_rho")) out[w] = (ratio * ratio - 1.0) * slope;
    }
    for (long n = 0; n < N; n++)
        for (long i = 0; i < I; i++)
            for (long o = 0; o < O; o++) {
                long w = i * O + o;
                double noise = eps[w] * r[n * I + i] * s[n * O + o], weight = mu[w] + softplus(rho[w]) * noise;
                double grad = x[n * I + i] * g[n * O + o]; /* by the weight of this example */
                if (!strcmp(output, "y")) out[n * O + o] += x[n * I + i] * weight;
                if (!strcmp(output, "grad_x")) out[n * I + i] += g[n * O + o] * weight;
                if (!strcmp(output, "grad_mu")) out[w] += grad;
                if (!strcmp(output, "grad_rho")) out[w] += grad * noise * sigmoid(rho[w]);
            }
}

static int matches(const double *got, const Array *want, double tolerance) {
    for (long k = 0; k < want->size; k++) {
        double a = got[k], b = want->data[k];
        int same = isnan(a) ? isnan(b) : a == b;
        if (!same && !(isfinite(a) && isfinite(b) && fabs(a - b) <= tolerance * fabs(b) + want->absolute)) return 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    char schema[NAME], family[NAME], word[NAME], type[NAME], dtype[NAME], result[NAME];
    int tests, failed = 0;
    expect(file != NULL, "the file");
    expect(fscanf(file, "%63s %63s %d", schema, family, &tests) == 3 && !strcmp(schema, "bayesnoise-vectors-1"),
           "this schema");
    for (int t = 0; t < tests; t++) {
        int id, inputs, outputs, match = 1;
        double tolerance;
        Array in[ARRAYS];
        expect(fscanf(file, "%63s %d %63s %63s %lf %63s %d %d", word, &id, type, dtype, &tolerance, result, &inputs,
                      &outputs) == 8 && inputs <= ARRAYS && !strcmp(type, "dense.flipout"), "a test");
        for (int k = 0; k < inputs; k++) in[k] = read_array(file, 0, !strcmp(dtype, "float32"));
        for (int k = 0; k < outputs; k++) {
            Array want = read_array(file, 1, !strcmp(dtype, "float32"));
            double *got = calloc((size_t)want.size + 1, sizeof(double));
            expect(got != NULL, "more: no memory");
            layer(in, inputs, want.name, got);
            if (want.compared && !matches(got, &want, tolerance)) match = 0;
            free(got);
            free(want.data);
        }
        if (match != !strcmp(result, "valid")) {
            printf("test %d: %s vector %s\n", id, result, match ? "matched" : "not matched");
            failed++;
        }
        for (int k = 0; k < inputs; k++) free(in[k].data);
    }
    printf("%s: %d tests, %d failed\n", family, tests, failed);
    fclose(file);
    return failed > 0;
}
