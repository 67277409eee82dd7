// Kernels over one row each. Included once per instruction set, by kernels.hpp.

typedef float half_vec __attribute__((vector_size(PLATEAU_VECTOR_BYTES / 2)));
typedef double double_vec __attribute__((vector_size(PLATEAU_VECTOR_BYTES)));

[[gnu::always_inline]] inline double_vec load_doubles(float const* at) {
    half_vec v;
    __builtin_memcpy(&v, at, sizeof v);
    return __builtin_convertvector(v, double_vec);
}

[[gnu::always_inline]] inline double sum_of(double_vec v) {
    double part[lanes / 2];
    __builtin_memcpy(part, &v, sizeof v);
    double total = 0;
    for (int i = 0; i < lanes / 2; ++i) total += part[i];
    return total;
}

/// Σ (x_i − centre)² in double.
[[gnu::always_inline]] inline double squares(float const* x, index n, double centre) {
    double_vec even{}, odd{};
    index i = 0;
    for (; i + lanes <= n; i += lanes) {
        double_vec const a = load_doubles(x + i) - centre, b = load_doubles(x + i + lanes / 2) - centre;
        even += a * a;
        odd += b * b;
    }
    double total = sum_of(even + odd);
    for (; i < n; ++i) total += (x[i] - centre) * (x[i] - centre);
    return total;
}

inline void round_row(float const* x, index count, float* out) {
    for (index k = 0; k < count; ++k) {
        std::uint32_t const word = rounded(x[k]);
        __builtin_memcpy(out + k, &word, sizeof word);
    }
}

inline void widen_pairs(std::uint32_t const* words, index pairs, float* out) {
    for (index k = 0; k < pairs; ++k, words += panel_columns, out += 2 * panel_columns) {
        for (int j = 0; j < panel_columns; j += lanes) {
            uvec pair;
            __builtin_memcpy(&pair, words + j, sizeof pair);
            store(out + j, (vec)(pair << 16));
            store(out + panel_columns + j, (vec)(pair & 0xFFFF0000u));
        }
    }
}

inline float rms_scale_row(float const* x, index n, double epsilon) {
    return static_cast<float>(__builtin_sqrt(squares(x, n, 0) / static_cast<double>(n) + epsilon));
}

inline float centre_row(float const* x, index n, double epsilon, float* centred) {
    double_vec even{}, odd{};
    index i = 0;
    for (; i + lanes <= n; i += lanes) {
        even += load_doubles(x + i);
        odd += load_doubles(x + i + lanes / 2);
    }
    double total = sum_of(even + odd);
    for (; i < n; ++i) total += x[i];
    double const mean = total / static_cast<double>(n);
    double const variance = squares(x, n, mean) / static_cast<double>(n);
    for (i = 0; i + lanes / 2 <= n; i += lanes / 2) {
        half_vec const v = __builtin_convertvector(load_doubles(x + i) - mean, half_vec);
        __builtin_memcpy(centred + i, &v, sizeof v);
    }
    for (; i < n; ++i) centred[i] = static_cast<float>(x[i] - mean);
    return static_cast<float>(__builtin_sqrt(variance + epsilon));
}

inline void divide_row(float const* x, index n, float scale, float* out) {
    float const inverse = 1.0f / scale;
    index i = 0;
    for (; i + lanes <= n; i += lanes) store(out + i, load(x + i) * inverse);
    for (; i < n; ++i) out[i] = x[i] * inverse;
}

inline void affine_row(float const* x, index n, float const* weight, float const* bias, float* out) {
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        vec y = whole ? load(x + i) : load_part(x + i, n - i);
        if (weight != nullptr) y *= whole ? load(weight + i) : load_part(weight + i, n - i);
        if (bias != nullptr) y += whole ? load(bias + i) : load_part(bias + i, n - i);
        if (whole) store(out + i, y);
        else store_part(out + i, y, n - i);
    }
}

/// What affine_row makes of x, where the compiler may not merge x's own rounding with what follows.
[[gnu::always_inline]] inline void store_affine(vec x, index i, index n, float const* weight, float const* bias,
                                                float* out) {
    asm("" : "+x"(x));
    bool const whole = i + lanes <= n;
    if (weight != nullptr) x *= whole ? load(weight + i) : load_part(weight + i, n - i);
    if (bias != nullptr) x += whole ? load(bias + i) : load_part(bias + i, n - i);
    if (whole) store(out + i, x);
    else store_part(out + i, x, n - i);
}

inline void norm_row(norm_kind kind, float const* x, index n, double epsilon, float const* weight, float const* bias,
                     float* out) {
    if (kind == norm_kind::layer) {
        float const inverse = 1.0f / centre_row(x, n, epsilon, out);
        for (index i = 0; i < n; i += lanes) {
            store_affine((i + lanes <= n ? load(out + i) : load_part(out + i, n - i)) * inverse, i, n, weight, bias,
                         out);
        }
        return;
    }
    float const inverse = 1.0f / rms_scale_row(x, n, epsilon);
    for (index i = 0; i < n; i += lanes) {
        store_affine((i + lanes <= n ? load(x + i) : load_part(x + i, n - i)) * inverse, i, n, weight, bias, out);
    }
}

inline bool finite_row(float const* x, index n) {
    vec zeros{};  // they stay so unless an element is infinite or NaN
    index i = 0;
    for (; i + lanes <= n; i += lanes) zeros += load(x + i) * 0.0f;
    float rest = 0;
    for (; i < n; ++i) rest += x[i] * 0.0f;
    return sum_of(zeros) + rest == 0;
}

inline void add_rows(strided<float const> x, index rows, index n, strided<float> y) {
    for (index r = 0; r < rows; ++r) {
        float const* const from = x[r];
        float* const to = y[r];
        index i = 0;
        for (; i + lanes <= n; i += lanes) store(to + i, load(to + i) + load(from + i));
        for (; i < n; ++i) to[i] += from[i];
    }
}

inline void scale_row(float* x, index n, float factor) {
    index i = 0;
    for (; i + lanes <= n; i += lanes) store(x + i, load(x + i) * factor);
    if (i < n) store_part(x + i, load_part(x + i, n - i) * factor, n - i);
}

inline void cap_row(float* x, index n, float bound) {
    float const inverse = 1.0f / bound;
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        vec const y = tanh_of((whole ? load(x + i) : load_part(x + i, n - i)) * inverse) * bound;
        if (whole) store(x + i, y);
        else store_part(x + i, y, n - i);
    }
}

template <activation Kind>
[[gnu::always_inline]] inline vec activated(vec x) {
    if constexpr (Kind == activation::silu) return x / (1.0f + exp_of(-x));
    if constexpr (Kind == activation::gelu) return x * 0.5f * (1.0f + erf_of(x * 0.707106781f));
    // ½ (1 + tanh u) = 1 / (1 + e^−2u)
    if constexpr (Kind == activation::gelu_tanh) return x / (1.0f + exp_of(-1.59576912f * (x + 0.044715f * x * x * x)));
    if constexpr (Kind == activation::relu) return x < 0.0f ? vec{} : x;  // a NaN stays one
}

template <activation Kind>
void activate_rows_of(strided<float const> xs, strided<float const> ups, index rows, index n, strided<float> outs) {
    for (index r = 0; r < rows; ++r) {
        float const *const x = xs[r], *const up = ups.data == nullptr ? nullptr : ups[r];
        float* const out = outs[r];
        for (index i = 0; i < n; i += lanes) {
            bool const whole = i + lanes <= n;
            vec y = activated<Kind>(whole ? load(x + i) : load_part(x + i, n - i));
            if (up != nullptr) y *= whole ? load(up + i) : load_part(up + i, n - i);
            if (whole) store(out + i, y);
            else store_part(out + i, y, n - i);
        }
    }
}

inline void activate_rows(activation kind, strided<float const> x, strided<float const> up, index rows, index n,
                          strided<float> out) {
    switch (kind) {
        case activation::silu: return activate_rows_of<activation::silu>(x, up, rows, n, out);
        case activation::gelu: return activate_rows_of<activation::gelu>(x, up, rows, n, out);
        case activation::gelu_tanh: return activate_rows_of<activation::gelu_tanh>(x, up, rows, n, out);
        case activation::relu: return activate_rows_of<activation::relu>(x, up, rows, n, out);
    }
}

inline void rotate_row(float* x, index heads, float const* cosines, float const* sines, index half) {
    for (index h = 0; h < heads; ++h) {
        float* const low = x + h * 2 * half;
        float* const high = low + half;
        index i = 0;
        for (; i + lanes <= half; i += lanes) {
            vec const a = load(low + i), b = load(high + i), c = load(cosines + i), s = load(sines + i);
            store(low + i, a * c - b * s);
            store(high + i, b * c + a * s);
        }
        for (; i < half; ++i) {
            float const a = low[i], b = high[i];
            low[i] = a * cosines[i] - b * sines[i];
            high[i] = b * cosines[i] + a * sines[i];
        }
    }
}

inline float largest(float const* x, index n) {
    float const lowest = -__builtin_inff();
    vec tops = splat(lowest);
    index i = 0;
    for (; i + lanes <= n; i += lanes) tops = larger(load(x + i), tops);
    if (i < n) tops = larger(load_part(x + i, n - i, lowest), tops);
    return largest_of(tops);
}

[[gnu::always_inline]] inline float exps(float const* x, index n, float shift, float* out) {
    vec sums{};
    index i = 0;
    for (; i + lanes <= n; i += lanes) {
        vec const e = exp_of(load(x + i) - shift);
        store(out + i, e);
        sums += e;
    }
    if (i < n) {
        vec const e = exp_of(load_part(x + i, n - i, -__builtin_inff()) - shift);
        store_part(out + i, e, n - i);
        sums += e;
    }
    return sum_of(sums);
}

inline double exp_row(float const* x, index n, float shift, float* out) { return exps(x, n, shift, out); }

/// Softmax of `count` numbers in place.
inline void softmax_row(float* row, index count) {
    scale_row(row, count, 1.0f / exps(row, count, largest(row, count), row));
}

inline double weighted_difference(float const* w, float const* x, float const* y, index n) {
    vec sums{};
    index i = 0;
    for (; i + lanes <= n; i += lanes) sums += load(w + i) * (load(x + i) - load(y + i));
    double total = sum_of(sums);
    for (; i < n; ++i) total += w[i] * (x[i] - y[i]);
    return total;
}

inline void add_weighted_rows(strided<float const> weights, strided<float const> x, index rows, index n,
                              strided<float> y) {
    for (index r = 0; r < rows; ++r) {
        vec const weight = splat(*weights[r]);
        float const* const from = x[r];
        float* const to = y[r];
        index i = 0;
        for (; i + lanes <= n; i += lanes) store(to + i, load(to + i) + weight * load(from + i));
        for (; i < n; ++i) to[i] += weight[0] * from[i];
    }
}

inline void dot_heads(float const* q, float const* k, index heads, index group, index width, float* out) {
    for (index h = 0; h < heads; ++h) {
        float const *const query = q + h * width, *const key = k + h / group * width;
        vec sums{};
        for (index e = 0; e < width; e += lanes) {
            bool const whole = e + lanes <= width;
            vec const a = whole ? load(query + e) : load_part(query + e, width - e);
            sums += a * (whole ? load(key + e) : load_part(key + e, width - e));
        }
        out[h] = sum_of(sums);
    }
}
