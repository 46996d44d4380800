"""The random numbers of a CUDA device, as source: Philox 4x32-10, whose counter is the position in the array.

Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". There is no state to keep, to initialise
or to repeat: 128 bits of seed fill the key and half of the counter, and each thread computes its own numbers.
"""

from __future__ import annotations

SOURCE = r"""
typedef unsigned int word;
typedef unsigned long long words;

__device__ void philox(word c[4], word key0, word key1) {
    for (int round = 0; round < 10; ++round) {
        words low = 0xD2511F53ull * c[0], high = 0xCD9E8D57ull * c[2];
        word next0 = (word)(high >> 32) ^ c[1] ^ key0, next2 = (word)(low >> 32) ^ c[3] ^ key1;
        c[0] = next0; c[1] = (word)high; c[2] = next2; c[3] = (word)low;
        key0 += 0x9E3779B9u; key1 += 0xBB67AE85u;
    }
}

__device__ void fresh(word c[4], words i, word s0, word s1, word s2, word s3) {
    c[0] = (word)i; c[1] = (word)(i >> 32); c[2] = s0; c[3] = s1;
    philox(c, s2, s3);
}

__device__ words join(word high, word low) { return ((words)high << 32) | low; }

// Each kernel writes n numbers, four or two a thread; the rest of the last thread's are dropped.
#define KERNEL(NAME, T, COUNT, BODY) \
    extern "C" __global__ void NAME(T* out, words n, word s0, word s1, word s2, word s3) { \
        words i = (words)blockIdx.x * blockDim.x + threadIdx.x; \
        if (i * COUNT >= n) return; \
        word c[4]; \
        T v[COUNT]; \
        fresh(c, i, s0, s1, s2, s3); \
        BODY \
        for (int j = 0; j < COUNT && i * COUNT + j < n; ++j) out[i * COUNT + j] = v[j]; \
    }

// Box and Muller: half a step keeps the logarithm from 0, which cuts off at 6.76 (double: 8.65) standard deviations.
KERNEL(normal_float32, float, 4,
    for (int j = 0; j < 4; j += 2) {
        float radius = sqrtf(-2.0f * logf(((float)c[j] + 0.5f) * 2.3283064365386963e-10f));
        float angle = (float)(int)c[j + 1] * 4.6566128730773926e-10f;
        v[j] = radius * cospif(angle);
        v[j + 1] = radius * sinpif(angle);
    })

KERNEL(normal_float64, double, 2,
    double radius = sqrt(-2.0 * log(((double)(join(c[0], c[1]) >> 11) + 0.5) * 1.1102230246251565e-16));
    double angle = (double)(long long)join(c[2], c[3]) * 1.0842021724855044e-19;
    v[0] = radius * cospi(angle);
    v[1] = radius * sinpi(angle);
)

KERNEL(uniform_float32, float, 4, for (int j = 0; j < 4; ++j) v[j] = (float)(c[j] >> 8) * 5.9604644775390625e-08f;)

KERNEL(uniform_float64, double, 2,
    for (int j = 0; j < 2; ++j) v[j] = (double)(join(c[2 * j], c[2 * j + 1]) >> 11) * 1.1102230246251565e-16;)

KERNEL(rademacher_float32, float, 4, for (int j = 0; j < 4; ++j) v[j] = c[j] >> 31 ? 1.0f : -1.0f;)

KERNEL(rademacher_float64, double, 2, for (int j = 0; j < 2; ++j) v[j] = c[j] >> 31 ? 1.0 : -1.0;)
"""

PER_THREAD = {"float32": 4, "float64": 2}
THREADS = 256
