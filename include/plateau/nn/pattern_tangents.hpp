#pragma once
/// Tangents and cotangents of attention whose scores or patterns hooks change.

#include <algorithm>
#include <array>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/nn/duals.hpp>
#include <plateau/nn/pattern_steps.hpp>

namespace plateau::nn {

/// With scores s that hooks make s', patterns P = softmax(s') that they make P', and what they do to tangents of both:
///     ṡ = scale (⟨q̇, k⟩ + ⟨q, k̇⟩) · the slope of a cap -> ṡ',   Ṗ = P (ṡ' − Σ P ṡ') -> Ṗ',   ż = Ṗ' V + P' V̇
///     gP' = ⟨gz, v⟩ -> gP,   gs' = P (gP − Σ P gP) -> gs,   gq = scale Σ gs k,   gk = scale Σ gs q,   gv = Σ P' gz
/// One key after the other, on the host.
template <class Context, class T>
class pattern_tangents {
public:
    using duals = layer_duals<Context, T>;
    using rows_view = typename duals::rows_view;
    using own_rows = backend::attention_rows<T, typename Context::space>;

    /// True if hooks look at scores, patterns or their tangents: what is held alone does not need this.
    static bool wanted(duals const& l) { return wants_pattern_steps(l.value) || wants_pattern_steps(l.tangent); }

    /// @param own  q, keys and values of the rows      @throws usage_error unless the backend computes on the host
    pattern_tangents(duals const& l, backend::attention_shape<T> const& shape, own_rows const& own)
        : l_{l}, shape_{shape}, own_{own}, keys_{l.value.pass.keys()}, segments_{segments_of(l)} {
        if constexpr (!std::is_same_v<typename Context::space, tensor::host_space>) {
            throw usage_error("derivatives with hooks at scores or patterns are computed on the CPU alone");
        } else {
            if (wants_pattern_steps(l.value)) return;  // forward() kept its steps
            l.value.pass.without_hooks([&] {
                pattern_in_steps(l.value, shape, own, [&](pattern_step which, rows_view flat) {
                    backend::copy<T>(l.context(), flat, kept(which));
                });
            });
        }
    }

    /// @param moved  q̇, k̇ and v̇      @param dz  [t, H · E]
    void forwards(own_rows const& moved, rows_view dz) const {
        if constexpr (std::is_same_v<typename Context::space, tensor::host_space>) {
            auto const changes = l_.tangent.matrix(scores_buffer, shape_.heads * keys_);
            each([&](tangent_row const& t, index h) {
                for (index j = 0; j < keys_; ++j) {
                    double sum = 0;
                    if (j >= t.from && j < t.end) {
                        sum = dot(moved.q, t.number, h, key(t, j), h);
                        if (j >= t.prefix) sum += dot(own_.q, t.row, h, moved.keys[t.first + j - t.prefix].data(), h);
                        sum *= slope(t, h, j);
                    }
                    changes(t.number, h * keys_ + j) = static_cast<T>(sum);
                }
            });
            l_.hook_tangents(hooks::site_id::attn_scores, changes, shape_.heads);
            through_softmax(changes);
            l_.hook_tangents(hooks::site_id::pattern, changes, shape_.heads);
            auto const pattern = kept(pattern_step::changed_pattern);
            each([&](tangent_row const& t, index h) {
                for (index e = 0; e < shape_.width; ++e) {
                    double sum = 0;
                    for (index j = 0; j < t.end; ++j) {
                        sum += number(changes(t.number, h * keys_ + j)) * number(value(t, j)[kv(h) + e]);
                        if (j >= t.prefix)
                            sum += number(pattern(t.row, h * keys_ + j)) *
                                   number(moved.values(t.first + j - t.prefix, kv(h) + e));
                    }
                    dz(t.number, h * shape_.width + e) = static_cast<T>(sum);
                }
            });
        }
    }

    /// @param gz  [t, H · E]      @param g  gq, gk and gv, overwritten
    void backwards(rows_view gz, std::array<rows_view, 3> const& g) const {
        if constexpr (std::is_same_v<typename Context::space, tensor::host_space>) {
            for (auto const& one : g) backend::clear<T>(l_.context(), one);
            auto const changes = l_.tangent.matrix(scores_buffer, shape_.heads * keys_);
            auto const pattern = kept(pattern_step::changed_pattern);
            each([&](tangent_row const& t, index h) {
                for (index j = 0; j < keys_; ++j) {
                    changes(t.number, h * keys_ + j) =
                        j < t.end ? static_cast<T>(dot(gz, t.number, h, value(t, j), h)) : T{0};
                    if (j < t.prefix || j >= t.end) continue;
                    for (index e = 0; e < shape_.width; ++e)
                        g[2](t.first + j - t.prefix, kv(h) + e) +=
                            pattern(t.row, h * keys_ + j) * gz(t.number, h * shape_.width + e);
                }
            });
            l_.hook_cotangents(hooks::site_id::pattern, changes, shape_.heads);
            through_softmax(changes);
            l_.hook_cotangents(hooks::site_id::attn_scores, changes, shape_.heads);
            each([&](tangent_row const& t, index h) {
                for (index j = t.from; j < t.end; ++j) {
                    T const by = static_cast<T>(number(changes(t.number, h * keys_ + j)) * slope(t, h, j));
                    for (index e = 0; e < shape_.width; ++e) {
                        g[0](t.number, h * shape_.width + e) += by * key(t, j)[kv(h) + e];
                        if (j >= t.prefix)
                            g[1](t.first + j - t.prefix, kv(h) + e) += by * own_.q(t.row, h * shape_.width + e);
                    }
                }
            });
        }
    }

private:
    using segment = backend::segment<T, typename Context::space>;

    /// A tangent and what its row sees: keys [from, end), those from `prefix` on of the rows of its sequence, whose
    /// tangents begin at `first`.
    struct tangent_row {
        segment const& part;
        index number, first, row, first_row, prefix, from, end;
    };

    static std::vector<segment> segments_of(duals const& l) {
        auto const all = l.tangent.pass.segments(l.value.layer);
        return {all.begin(), all.end()};
    }
    static double number(T x) { return static_cast<double>(x); }
    rows_view kept(pattern_step which) const { return l_.value.matrix(kept_step(which), shape_.heads * keys_); }
    /// Where the keys that head h takes begin in a row of them.
    index kv(index h) const { return h / shape_.group() * shape_.width; }

    T const* key(tangent_row const& t, index j) const {
        return j < t.prefix ? t.part.prefix_keys[j].data() : own_.keys[t.first_row + j - t.prefix].data();
    }
    T const* value(tangent_row const& t, index j) const {
        return j < t.prefix ? t.part.prefix_values[j].data() : own_.values[t.first_row + j - t.prefix].data();
    }

    template <class Queries>
    double dot(Queries const& q, index row, index h, T const* with, index head) const {
        double sum = 0;
        for (index e = 0; e < shape_.width; ++e)
            sum += number(q(row, h * shape_.width + e)) * number(with[kv(head) + e]);
        return sum;
    }

    /// What a change of ⟨q, k⟩ is multiplied by to be one of the score: the scale, and the slope of a cap.
    double slope(tangent_row const& t, index h, index j) const {
        double const scale = number(shape_.scale);
        if (!(shape_.cap > 0)) return scale;
        double const share = number(kept(pattern_step::scores)(t.row, h * keys_ + j)) / number(shape_.cap);
        return scale * (1 - share * share);
    }

    /// x = P (x − Σ P x), in place; 0 for keys that a row does not see.
    void through_softmax(rows_view x) const {
        auto const pattern = kept(pattern_step::pattern);
        each([&](tangent_row const& t, index h) {
            double mean = 0;
            for (index j = t.from; j < t.end; ++j)
                mean += number(pattern(t.row, h * keys_ + j)) * number(x(t.number, h * keys_ + j));
            for (index j = 0; j < keys_; ++j) {
                T& one = x(t.number, h * keys_ + j);
                bool const seen = j >= t.from && j < t.end;
                one = seen ? static_cast<T>(number(pattern(t.row, h * keys_ + j)) * (number(one) - mean)) : T{0};
            }
        });
    }

    /// Calls f for every tangent and head.
    template <class F>
    void each(F const& f) const {
        auto const& of = l_.which.of;
        for (auto const& part : segments_) {
            index const first_row = of[static_cast<std::size_t>(part.first_row)];
            for (index i = 0; i < part.rows; ++i) {
                index const number = part.first_row + i, end = part.prefix() + i + 1;
                tangent_row const t{
                    part,      number,        part.first_row,        of[static_cast<std::size_t>(number)],
                    first_row, part.prefix(), shape_.first_key(end), end};
                for (index h = 0; h < shape_.heads; ++h) f(t, h);
            }
        }
    }

    duals l_;
    backend::attention_shape<T> const& shape_;
    own_rows own_;
    index keys_;
    std::vector<segment> segments_;
};

}  // namespace plateau::nn
