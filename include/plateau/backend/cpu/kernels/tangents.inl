// Kernels over one row of tangents each. Included once per instruction set, by tangent_kernels.hpp, behind vector.inl.

/// act(x) = x · g(x): g, and act'(x) through the g that is given.
template <activation Kind>
[[gnu::always_inline]] inline vec gate_of(vec x) {
    if constexpr (Kind == activation::silu) return sigmoid(x);
    if constexpr (Kind == activation::gelu) return 0.5f * (1.0f + erf_of(x * 0.707106781f));
    if constexpr (Kind == activation::gelu_tanh) return sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
    if constexpr (Kind == activation::relu) return x > 0.0f ? splat(1.0f) : vec{};
}
template <activation Kind>
[[gnu::always_inline]] inline vec slope_of(vec x, vec g) {
    if constexpr (Kind == activation::silu) return g + x * g * (1.0f - g);
    if constexpr (Kind == activation::gelu) return g + x * 0.398942280f * exp_of(-0.5f * x * x);
    if constexpr (Kind == activation::gelu_tanh) return g + x * g * (1.0f - g) * (1.59576912f + 0.214064401f * x * x);
    if constexpr (Kind == activation::relu) return g;
}

template <activation Kind>
void slope_row_of(float const* x, float const* up, index n, float* slope, float* factor) {
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        vec const at = whole ? load(x + i) : load_part(x + i, n - i), gate = gate_of<Kind>(at);
        vec d = slope_of<Kind>(at, gate), f = gate;
        if (up != nullptr) {
            d *= whole ? load(up + i) : load_part(up + i, n - i);
            f *= at;
        }
        if (whole) {
            store(slope + i, d);
            store(factor + i, f);
        } else {
            store_part(slope + i, d, n - i);
            store_part(factor + i, f, n - i);
        }
    }
}

inline void slope_row(activation kind, float const* x, float const* up, index n, float* slope, float* factor) {
    switch (kind) {
        case activation::silu: return slope_row_of<activation::silu>(x, up, n, slope, factor);
        case activation::gelu: return slope_row_of<activation::gelu>(x, up, n, slope, factor);
        case activation::gelu_tanh: return slope_row_of<activation::gelu_tanh>(x, up, n, slope, factor);
        case activation::relu: return slope_row_of<activation::relu>(x, up, n, slope, factor);
    }
}

inline void combine_row(float const* a, float const* x, float const* b, float const* y, index n, float* out) {
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        auto const at = [&](float const* from) { return whole ? load(from + i) : load_part(from + i, n - i); };
        vec sum = at(a) * at(x);
        if (b != nullptr) sum += at(b) * at(y);
        if (whole) store(out + i, sum);
        else store_part(out + i, sum, n - i);
    }
}

inline void norm_tangent_row(float const* unit, float const* gain, float const* x, index n, bool centred, bool along,
                             float* out) {
    vec sums{}, products{};
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        vec const from = whole ? load(x + i) : load_part(x + i, n - i);
        sums += from;
        products += from * (whole ? load(unit + i) : load_part(unit + i, n - i));
    }
    float const mean = centred ? sum_of(sums) / static_cast<float>(n) : 0.0f;
    float const part = along ? sum_of(products) / static_cast<float>(n) : 0.0f;
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        auto const at = [&](float const* from) { return whole ? load(from + i) : load_part(from + i, n - i); };
        vec const y = (at(x) - mean - part * at(unit)) * at(gain);
        if (whole) store(out + i, y);
        else store_part(out + i, y, n - i);
    }
}

inline void softmax_tangent_row(float const* p, index n, float* x) {
    vec sums{};
    for (index i = 0; i < n; i += lanes) {
        bool const whole = i + lanes <= n;
        sums += whole ? load(p + i) * load(x + i) : load_part(p + i, n - i) * load_part(x + i, n - i);
    }
    float const mean = sum_of(sums);
    for (index i = 0; i < n; i += lanes) {
        if (i + lanes <= n) store(x + i, load(p + i) * (load(x + i) - mean));
        else store_part(x + i, load_part(p + i, n - i) * (load_part(x + i, n - i) - mean), n - i);
    }
}
