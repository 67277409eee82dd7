#pragma once
/// Tangents and cotangents of attention whose scores or patterns hooks change.

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <plateau/backend/host_access.hpp>
#include <plateau/nn/duals.hpp>
#include <plateau/nn/pattern_steps.hpp>

namespace plateau::nn {

/// With scores s that hooks make s', patterns P = softmax(s') that they make P', and what they do to tangents of both:
///     ṡ = scale (⟨q̇, k⟩ + ⟨q, k̇⟩) · the slope of a cap -> ṡ',   Ṗ = P (ṡ' − Σ P ṡ') -> Ṗ',   ż = Ṗ' V + P' V̇
///     gP' = ⟨gz, v⟩ -> gP,   gs' = P (gP − Σ P gP) -> gs,   gq = scale Σ gs k,   gk = scale Σ gs q,   gv = Σ P' gz
/// One key after the other, on the host, whoever computes the rest.
template <class Context, class T>
class pattern_tangents {
public:
    using duals = layer_duals<Context, T>;
    using rows_view = typename duals::rows_view;
    using const_rows_view = typename duals::const_rows_view;
    using own_rows = backend::attention_rows<T, typename Context::space>;

    /// True if hooks look at scores, patterns or their tangents: what is held alone does not need this.
    static bool wanted(duals const& l) { return wants_pattern_steps(l.value) || wants_pattern_steps(l.tangent); }

    /// @param own  q, keys and values of the rows
    pattern_tangents(duals const& l, backend::attention_shape<T> const& shape, own_rows const& own)
        : l_{l}, shape_{shape}, all_keys_{l.value.pass.keys()} {
        if (!wants_pattern_steps(l.value)) {  // forward() did not keep its steps
            l.value.pass.without_hooks([&] {
                pattern_in_steps(l.value, shape, own, [&](pattern_step which, rows_view flat) {
                    backend::copy<T>(l.context(), flat, l.value.matrix(kept_step(which), flat.extent(1)));
                });
            });
        }
        q_ = seen(own.q), keys_ = seen(own.keys), values_ = seen(own.values);
        for (auto const which : {pattern_step::scores, pattern_step::pattern, pattern_step::changed_pattern})
            kept_[static_cast<std::size_t>(which)] = seen(l.value.matrix(kept_step(which), width()));
        for (auto const& one : l.tangent.pass.segments(l.value.layer)) {
            parts_.push_back({one.first_row, one.rows, one.prefix(), one.prefix_keys.data()});
            auto& known = prefixes_[one.prefix_keys.data()];  // the longest of those that begin there
            if (known[0].extent(0) < one.prefix()) known = {seen(one.prefix_keys), seen(one.prefix_values)};
        }
    }

    /// @param moved  q̇, k̇ and v̇      @param dz  [t, H · E]
    void forwards(own_rows const& moved, rows_view dz) const {
        auto const dq = seen(moved.q), dk = seen(moved.keys), dv = seen(moved.values);
        auto const changes = l_.tangent.matrix(scores_buffer, width());
        fill(changes, [&](auto const& to) {
            each([&](tangent_row const& t, index h) {
                for (index j = 0; j < all_keys_; ++j) {
                    double sum = 0;
                    if (j >= t.from && j < t.end) {
                        sum = dot(dq[t.number].data() + h * shape_.width, key(t, j), h);
                        if (j >= t.prefix) sum += dot(q_[t.row].data() + h * shape_.width, dk[own(t, j)].data(), h);
                        sum *= slope(t, h, j);
                    }
                    to(t.number, h * all_keys_ + j) = static_cast<T>(sum);
                }
            });
        });
        l_.hook_tangents(hooks::site_id::attn_scores, changes, shape_.heads);
        through_softmax(changes);
        l_.hook_tangents(hooks::site_id::pattern, changes, shape_.heads);
        auto const moving = seen(changes);
        fill(dz, [&](auto const& to) {
            each([&](tangent_row const& t, index h) {
                for (index e = 0; e < shape_.width; ++e) {
                    double sum = 0;
                    for (index j = 0; j < t.end; ++j) {
                        index const at = h * all_keys_ + j;
                        sum += number(moving(t.number, at)) * number(value(t, j)[kv(h) + e]);
                        if (j >= t.prefix) sum += number(pattern()(t.row, at)) * number(dv(own(t, j), kv(h) + e));
                    }
                    to(t.number, h * shape_.width + e) = static_cast<T>(sum);
                }
            });
        });
    }

    /// @param gz  [t, H · E]      @param g  gq, gk and gv, overwritten
    void backwards(rows_view gz, std::array<rows_view, 3> const& g) const {
        auto const from = seen(gz);
        auto const changes = l_.tangent.matrix(scores_buffer, width());
        fill(changes, [&](auto const& to) {
            each([&](tangent_row const& t, index h) {
                for (index j = 0; j < all_keys_; ++j) {
                    double const sum = j < t.end ? dot(from[t.number].data() + h * shape_.width, value(t, j), h) : 0;
                    to(t.number, h * all_keys_ + j) = static_cast<T>(sum);
                }
            });
        });
        fill_own(g[2], [&](tangent_row const& t, index h, index j, index e) {
            return pattern()(t.row, h * all_keys_ + j) * from(t.number, h * shape_.width + e);
        });
        l_.hook_cotangents(hooks::site_id::pattern, changes, shape_.heads);
        through_softmax(changes);
        l_.hook_cotangents(hooks::site_id::attn_scores, changes, shape_.heads);
        auto const moving = seen(changes);
        auto const by = [&](tangent_row const& t, index h, index j) {
            return j < t.from ? T{0} : static_cast<T>(number(moving(t.number, h * all_keys_ + j)) * slope(t, h, j));
        };
        fill(g[0], [&](auto const& to) {
            each([&](tangent_row const& t, index h) {
                for (index e = 0; e < shape_.width; ++e) {
                    T sum = 0;
                    for (index j = t.from; j < t.end; ++j) sum += by(t, h, j) * key(t, j)[kv(h) + e];
                    to(t.number, h * shape_.width + e) = sum;
                }
            });
        });
        fill_own(g[1], [&](tangent_row const& t, index h, index j, index e) {
            return by(t, h, j) * q_(t.row, h * shape_.width + e);
        });
    }

private:
    /// The tangents of a sequence.
    struct part {
        index first, rows, prefix;
        T const* prefix_keys;  ///< which prefix it is
    };
    /// A tangent, its number within its part, and what its row sees: keys [from, end), those from `prefix` on of the
    /// rows of its sequence.
    struct tangent_row {
        part const& of;
        index number, row, first_row, prefix, from, end;
    };

    index width() const { return shape_.heads * all_keys_; }
    static double number(T x) { return static_cast<double>(x); }
    /// Where the keys that head h takes begin in a row of them.
    index kv(index h) const { return h / shape_.group() * shape_.width; }
    tensor::buffer<T, 2> const& pattern() const {
        return kept_[static_cast<std::size_t>(pattern_step::changed_pattern)];
    }

    /// What rows of the backend hold.
    tensor::buffer<T, 2> seen(const_rows_view x) const {
        rows_view const rows{const_cast<T*>(x.data()), x.extents(), {x.stride(0), 1}};  // to be read alone
        backend::host_rows<Context, T> shown{l_.tangent.pass.copies(), rows};
        auto const from = shown.read();
        auto all = tensor::buffer<T, 2>::for_overwrite(from.extents());
        for (index r = 0; r < from.extent(0); ++r) std::copy_n(from[r].data(), from.extent(1), all[r].data());
        return all;
    }
    /// Calls f with rows of the backend to be filled.
    template <class F>
    void fill(rows_view x, F const& f) const {
        backend::host_rows<Context, T> to{l_.tangent.pass.copies(), x};
        f(to.write());
        to.finish();
    }
    /// x = Σ of what own keys, or values, are given by the tangents and heads that see them.
    template <class F>
    void fill_own(rows_view x, F const& one) const {
        fill(x, [&](auto const& to) {
            for (index r = 0; r < to.extent(0); ++r) std::fill_n(to[r].data(), to.extent(1), T{0});
            each([&](tangent_row const& t, index h) {
                for (index j = t.prefix; j < t.end; ++j) {
                    for (index e = 0; e < shape_.width; ++e) to(own(t, j), kv(h) + e) += one(t, h, j, e);
                }
            });
        });
    }

    /// The tangent of the row whose own key is number j.
    index own(tangent_row const& t, index j) const { return t.of.first + j - t.prefix; }
    T const* key(tangent_row const& t, index j) const {
        return j < t.prefix ? prefixes_.at(t.of.prefix_keys)[0][j].data() : keys_[t.first_row + j - t.prefix].data();
    }
    T const* value(tangent_row const& t, index j) const {
        return j < t.prefix ? prefixes_.at(t.of.prefix_keys)[1][j].data() : values_[t.first_row + j - t.prefix].data();
    }
    /// ⟨x, the key or value that head h takes⟩. @param x  of that head
    double dot(T const* x, T const* row, index h) const {
        double sum = 0;
        for (index e = 0; e < shape_.width; ++e) sum += number(x[e]) * number(row[kv(h) + e]);
        return sum;
    }

    /// What a change of ⟨q, k⟩ is multiplied by to be one of the score: the scale, and the slope of a cap.
    double slope(tangent_row const& t, index h, index j) const {
        double const scale = number(shape_.scale);
        if (!(shape_.cap > 0)) return scale;
        auto const& scores = kept_[static_cast<std::size_t>(pattern_step::scores)];
        double const share = number(scores(t.row, h * all_keys_ + j)) / number(shape_.cap);
        return scale * (1 - share * share);
    }

    /// x = P (x − Σ P x), in place; 0 for keys that a row does not see.
    void through_softmax(rows_view changes) const {
        auto const x = seen(changes);
        auto const& pattern = kept_[static_cast<std::size_t>(pattern_step::pattern)];
        fill(changes, [&](auto const& to) {
            each([&](tangent_row const& t, index h) {
                auto const at = [&](index j) { return h * all_keys_ + j; };
                double mean = 0;
                for (index j = t.from; j < t.end; ++j)
                    mean += number(pattern(t.row, at(j))) * number(x(t.number, at(j)));
                for (index j = 0; j < all_keys_; ++j) {
                    bool const seen = j >= t.from && j < t.end;
                    double const change = seen ? number(x(t.number, at(j))) - mean : 0;
                    to(t.number, at(j)) = seen ? static_cast<T>(number(pattern(t.row, at(j))) * change) : T{0};
                }
            });
        });
    }

    /// Calls f for every tangent and head.
    template <class F>
    void each(F const& f) const {
        auto const row_of = [&](index t) { return l_.which.of[static_cast<std::size_t>(t)]; };
        for (auto const& one : parts_) {
            for (index i = 0; i < one.rows; ++i) {
                index const t = one.first + i, end = one.prefix + i + 1;
                tangent_row const row{one, t, row_of(t), row_of(one.first), one.prefix, shape_.first_key(end), end};
                for (index h = 0; h < shape_.heads; ++h) f(row, h);
            }
        }
    }

    duals l_;
    backend::attention_shape<T> const& shape_;
    index all_keys_;
    tensor::buffer<T, 2> q_, keys_, values_;    // of the rows
    std::array<tensor::buffer<T, 2>, 3> kept_;  // by pattern_step
    std::vector<part> parts_;
    std::map<T const*, std::array<tensor::buffer<T, 2>, 2>> prefixes_;  // keys and values
};

}  // namespace plateau::nn
