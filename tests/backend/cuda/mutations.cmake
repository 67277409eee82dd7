# Deliberate mistakes in the kernels. Each must be noticed by the tests of its kernels, on the emulation of CUDA.
# mutation(NAME label kernels file-under-backend/cuda what-stands-there what-to-put-there)

mutation(control fast norm reduce.cuh [[T total = 0;]] [[T total = T(0);]])  # no mistake: the tests must pass

# barriers
mutation(no_barrier_before_sum fast norm reduce.cuh [[__syncthreads();  // the cells may still be read]] [[// the cells may still be read]])
mutation(no_barrier_in_sum full norm reduce.cuh [[    __syncthreads();
    T total]] [[    T total]])
mutation(no_barrier_before_keys fast attention kernels/attention.cuh [[__syncthreads();  // the queries]] [[// the queries]])
mutation(no_barrier_after_keys full attention kernels/attention.cuh [[        __syncthreads();
        int const position]] [[        int const position]])
mutation(no_barrier_before_values full attention kernels/attention.cuh [[__syncthreads();  // everybody]] [[// everybody]])
mutation(no_barrier_after_values full attention kernels/attention.cuh [[        __syncthreads();
        for (int key]] [[        for (int key]])
mutation(divergent_barrier fast norm reduce.cuh [[    __syncthreads();
    T total]] [[    if (threadIdx.x < 96) __syncthreads();
    T total]])

# masks and lanes
mutation(mask_without_a_lane fast norm reduce.cuh [[whole_warp = 0xFFFFFFFFu]] [[whole_warp = 0x7FFFFFFFu]])
mutation(ended_lane full rows kernels/rows.cuh [[    sum = warp_sum(sum);]] [[    if (threadIdx.x * pack<T>::size >= columns) return;
    sum = warp_sum(sum);]])
mutation(half_a_warp_sum full norm reduce.cuh [[value += __shfl_xor_sync(whole_warp, value, distance)]] [[value += __shfl_xor_sync(whole_warp, value, distance / 2)]])
mutation(vote_of_one_lane full elementwise kernels/elementwise.cuh [[__any_sync(whole_warp, !(zeros == T(0)))]] [[!(zeros == T(0))]])
mutation(no_atomic fast elementwise kernels/elementwise.cuh [[atomicMin(first, static_cast<unsigned long long>(r))]] [[*first = static_cast<unsigned long long>(r)]])

# shared memory
mutation(cells_not_written fast norm reduce.cuh [[if (threadIdx.x % warp_lanes == 0) sums]] [[if (threadIdx.x == 0) sums]])
mutation(one_cell_too_far fast norm reduce.cuh [[warp < Warps; ++warp]] [[warp <= Warps; ++warp]])
mutation(shared_by_accident full attention kernels/attention.cuh [[struct attention_queries>() + warp * count * Width]] [[struct attention_queries>()]])
mutation(tile_too_wide full attention kernels/attention.cuh [[cells + key * Stride + e, pack]] [[cells + (key + 1) * Stride + e, pack]])

# reading and writing one element too far, or where 16 bytes may not be read
mutation(read_too_far fast norm packs.cuh [[i < count ? from[i] : T{}]] [[i <= count ? from[i] : T{}]])
mutation(write_too_far fast rows packs.cuh [[if (i < count) to[i]] [[if (i <= count) to[i]])
mutation(whole_packs_only fast rows packs.cuh [[if (aligned && count >= pack<T>::size) return]] [[if (aligned) return]])
mutation(unaligned_rows full norm packs.cuh [[% 16 == 0 &&
               x.stride * static_cast<index>(sizeof(*x.data)) % 16 == 0]] [[% 16 == 0]])
mutation(one_row_too_many full elementwise map_rows.cuh [[if (r >= rows) return;]] [[if (r > rows) return;]])
mutation(one_table_row_too_many full rows gather.cuh [[id < table_rows]] [[id <= table_rows]])

# numbers
mutation(sum_in_float full rows kernels/rows.cuh [[    double sum = 0;]] [[    T sum = 0;]])
mutation(end_point_rounded full rows kernels/rows.cuh [[alpha == 0 ? from : ]] [[]])
mutation(padding_counts full norm kernels/norm.cuh [[if (i + k < columns) sum]] [[sum]])
mutation(wrong_half full elementwise kernels/elementwise.cuh [[store(b, low + half,]] [[store(b, low + half - 1,]])
mutation(future_seen fast attention kernels/attention.cuh [[position < end[i]) {]] [[position <= end[i]) {]])
mutation(future_mixed full attention kernels/attention.cuh [[if (first + key < from[i] || first + key >= end[i])
                    continue;]] [[]])
mutation(wide_window full attention kernels/attention.cuh [[end[i] > window ? end[i] - window : 0]] [[end[i] > window ? end[i] - window - 1 : 0]])
mutation(own_key_of_another fast attention kernels/attention.cuh [=[? own_keys[row[i]] :]=] [=[? own_keys[row[0]] :]=])
mutation(sums_not_rescaled full attention kernels/attention.cuh [[mixed[i]) column *= factor]] [[mixed[i]) column *= T(1)]])
mutation(nothing_seen_yet full attention kernels/attention.cuh [[nothing ? T(1) :]] [[false ? T(1) :]])

# matrix products
mutation(inputs_read_too_far fast linear kernels/linear.cuh [[load(from + i + p, count - p, aligned)]] [[load(from + i + p, count, aligned)]])
mutation(rows_not_padded full linear blas.hpp [[row_step = 128]] [[row_step = 1]])
mutation(outputs_not_padded full linear kernels/linear.cuh [[        outputs = in_steps(outputs, column_step);
]] [[]])
mutation(sum_where_it_does_not_fit full linear kernels/linear.cuh [[may_be_y && rows == y.extent(0) &&]] [[may_be_y &&]])
mutation(sum_over_what_was_held full linear kernels/linear.cuh [[y.extent(1), y, !add)]] [[y.extent(1), y, true)]])
mutation(rows_anywhere full linear kernels/linear.cuh [[x.extent(1) == inputs_ && aligned(rows_of(x))]] [[x.extent(1) == inputs_]])
mutation(low_part_of_everything full linear bfloat16.cuh [[to_bf16(value - widened(high))]] [[to_bf16(value)]])
mutation(part_infinite full linear bfloat16.cuh [[!= infinity) return {high, to_bf16]] [[!= 1u) return {high, to_bf16]])
mutation(infinity_without_high full linear bfloat16.cuh [[ | 0x3F800000u]] [[]])
mutation(low_part_too_large full linear bfloat16.cuh [[{high, cut(value]] [[{high, to_bf16(value]])
mutation(low_part_twice full linear kernels/linear.cuh [[static_cast<bfloat16 const*>(from_.data) + inputs_]] [[static_cast<bfloat16 const*>(from_.data)]])
mutation(bias_of_other_outputs full linear kernels/linear.cuh [[bias.data() + first]] [[bias.data()]])
mutation(added_to_the_first_row full linear kernels/linear.cuh [[load(held[r] + i]] [[load(held[0] + i]])
mutation(gathered_too_wide full linear kernels/linear.cuh [[if (i + k < columns)
                out]] [[out]])
mutation(algorithm_for_every_block full blas blas.cuh [[product.start(state_->handle.get(), algorithm,]]
    [[product.start(state_->handle.get(), product.candidates(state_->handle.get(), state::workspace_bytes).all[0],]])
mutation(alignment_not_asked full blas blas_product.cuh [[prefer(alignment, std::uint32_t{16})]] [[static_cast<void>(alignment)]])
mutation(correction_lost fast blas blas_product.cuh [[factor(add)]] [[factor(false)]])
mutation(tf32_for_all full blas blas_product.cuh [[{CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F}]] [[{CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32}]])
mutation(tf32_for_none full blas blas_product.cuh [[CUBLAS_COMPUTE_32F_FAST_TF32}]] [[CUBLAS_COMPUTE_32F}]])
mutation(fastest_whatever_its_bits fast blas blas_choice.cuh [[if (*bits == wanted) equal]] [[equal]])
mutation(bits_of_few_rows_alone full blas blas_choice.cuh [[!bits || bits_of(some, some_rows, algorithm) != bits]] [[!bits]])

# attention in steps
mutation(steps_future_seen full attention_steps kernels/attention_steps.cuh [[p >= from && p < row.end) {]] [[p >= from && p <= row.end) {]])
mutation(steps_wide_window full attention_steps kernels/attention_steps.cuh [[row.end > window ? row.end - window : 0]] [[row.end > window ? row.end - window - 1 : 0]])
mutation(steps_unseen_left full attention_steps kernels/attention_steps.cuh [[p < row.end ? own[p] * inverse : T(0)]] [[own[p] * inverse]])
mutation(steps_lane_sum full attention_steps kernels/attention_steps.cuh [[static_cast<T>(warp_sum(sum))]] [[static_cast<T>(sum)]])
mutation(steps_own_key_missing full attention_steps kernels/attention_steps.cuh [[p < row.end; ++p) sum]] [[p + 1 < row.end; ++p) sum]])
mutation(steps_prefix_too_long full attention_steps kernels/attention_steps.cuh [[position < prefixed ?]] [[position <= prefixed ?]])

# readings of logits
mutation(no_barrier_before_maximum full logits reduce.cuh [[__syncthreads();  // the cells may still be read: by the threads of the maximum before]] [[]])
mutation(no_barrier_in_maximum full logits reduce.cuh [[    __syncthreads();
    for (int warp = 0; warp < Warps; ++warp) value =]] [[    for (int warp = 0; warp < Warps; ++warp) value =]])
mutation(no_barrier_before_best full logits kernels/best_tokens.cuh [[__syncthreads();  // the cells may still be read]] [[// the cells may still be read]])
mutation(no_barrier_in_best fast logits kernels/best_tokens.cuh [[    __syncthreads();
    for (int warp]] [[    for (int warp]])
mutation(logits_not_rescaled full logits kernels/logits.cuh [[state.sum * factor + sum;]] [[state.sum + sum;]])
mutation(reference_not_rescaled full logits kernels/logits.cuh [[state.from_reference * factor_of_reference]] [[state.from_reference * factor]])
mutation(logits_after_the_last full logits kernels/logits.cuh [[if (i + k >= count) break;]] [[]])
mutation(compared_to_itself full logits kernels/logits.cuh [[if (other >= 0) block.references.back() = other;]] [[]])
mutation(first_target_missed full logits kernels/logits.cuh [[targets[r] >= first &&]] [[targets[r] > first &&]])
mutation(larger_token_first full logits kernels/best_tokens.cuh [[place < other.place)]] [[place > other.place)]])
mutation(younger_token_first full logits kernels/best_tokens.cuh [[next.logit > candidate_at]] [[next.logit >= candidate_at]])
mutation(tokens_after_the_last full logits kernels/best_tokens.cuh [[i + k < count ? i + k : -1]] [[i + k]])
mutation(best_of_no_number full logits kernels/best_tokens.cuh [[logit == logit ? logit : T(-INFINITY)]] [[logit]])

# sign codes, and what is not finite
mutation(zero_is_positive full sign_codes kernels/sign_codes.cuh [[x[r][low] > T(0)]] [[x[r][low] >= T(0)]])
mutation(sign_too_far full sign_codes kernels/sign_codes.cuh [[high < columns &&]] [[high <= columns &&]])
mutation(words_turned full sign_codes kernels/sign_codes.cuh [[std::uint64_t{odd} << warp_lanes | even]] [[std::uint64_t{even} << warp_lanes | odd]])
mutation(bits_of_one_lane fast sign_codes kernels/sign_codes.cuh [[different = warp_sum(different);]] [[]])
mutation(nothing_noted full elementwise kernels/elementwise.cuh [[constexpr int ones = 0xFF;]] [[constexpr int ones = 0x7F;]])

# edits of rows
mutation(edit_replaces_nothing full rows kernels/rows.cuh [[edit.kind != edit_kind::replace]] [[true]])
mutation(edit_one_too_far full rows kernels/rows.cuh [[f(i, edit.width - i)]] [[f(i, edit.width + 1 - i)]])
mutation(edit_from_elsewhere full rows kernels/rows.cuh [[by = load(v + i,]] [[by = load(v,]])
mutation(edit_aligned_by_values full rows kernels/rows.cuh [[(reinterpret_cast<std::uintptr_t>(v) | reinterpret_cast<std::uintptr_t>(part)) % 16 == 0]] [[reinterpret_cast<std::uintptr_t>(v) % 16 == 0]])
mutation(scaled_by_each_value full rows kernels/rows.cuh [[edit.kind == edit_kind::scale]] [[false]])
mutation(projection_of_one_lane fast rows kernels/rows.cuh [[along = warp_sum(along) /]] [[along = along /]])
mutation(direction_not_normed full rows kernels/rows.cuh [[/ warp_sum(square)]] [[]])
mutation(projection_in_float full rows kernels/rows.cuh [[double along = 0;]] [[T along = 0;]])

# tangents
mutation(tangent_of_another_row full tangents kernels/tangents.cuh [=[x[tangent.row] + at, *const]=] [=[x[0] + at, *const]=])
mutation(held_divisor_moves fast tangents kernels/tangents.cuh [[if (tangent.held == 0) {]] [[if (true) {]])
mutation(tangent_not_centred full tangents kernels/tangents.cuh [[if constexpr (Kind == norm_kind::layer) mean = row_sum(from]] [[if constexpr (false) mean = row_sum(from]])
mutation(slope_in_place_of_the_value full tangents kernels/tangents.cuh [[gated ? at * gate : gate;]] [=[gated ? values.values[k] * gate : gate;]=])
mutation(gate_held_by_nobody full tangents kernels/tangents.cuh [[if (held) return factor]] [[if (false) return factor]])
mutation(held_gate_returns full tangents kernels/tangents.cuh [[held ? (gated ? T(0) : factor * g) : slope * g]] [[slope * g]])
mutation(clip_on_one_side full tangents kernels/tangents.cuh [[x > bound || x < -bound]] [[x > bound]])
mutation(own_key_stands full attention_tangents kernels/attention_tangents.cuh [[if (p >= tangent.prefixed)
            change]] [[if (false)
            change]])
mutation(pattern_of_one_lane fast attention_tangents kernels/attention_tangents.cuh [[static_cast<T>(warp_sum(sum))]] [[static_cast<T>(sum)]])
mutation(cap_forgotten full attention_tangents kernels/attention_tangents.cuh [=[slopes != nullptr ? slopes[p] : T(1)]=] [[T(1)]])
mutation(held_pattern_moves full attention_tangents kernels/attention_tangents.cuh [[tangent.held != 0 ? T(0) : change(p)]] [[change(p)]])
mutation(own_values_missed full attention_tangents kernels/attention_tangents.cuh [[int p = tangent.prefixed; p < tangent.end; ++p]] [[int p = tangent.end; p < tangent.end; ++p]])
mutation(later_rows_missed full attention_tangents kernels/attention_tangents.cuh [[u < own.first + own.own]] [[u < t + 1]])
mutation(one_head_of_a_group full attention_tangents kernels/attention_tangents.cuh [[head < (kv + 1) * group]] [[head < kv * group + 1]])
mutation(keys_of_its_own_number full attention_tangents kernels/attention_tangents.cuh [=[dkeys[tangent.first + p - tangent.prefixed]]=] [=[dkeys[t]]=])
