#pragma once
/// The whole CUDA backend; its operations live in `plateau::cuda`.

#include <plateau/backend/cuda/attention.hpp>
#include <plateau/backend/cuda/attention_steps.hpp>
#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_weight.hpp>
#include <plateau/backend/cuda/elementwise.hpp>
#include <plateau/backend/cuda/finite_notes.hpp>
#include <plateau/backend/cuda/graph.hpp>
#include <plateau/backend/cuda/linear.hpp>
#include <plateau/backend/cuda/logits.hpp>
#include <plateau/backend/cuda/memory.hpp>
#include <plateau/backend/cuda/norm.hpp>
#include <plateau/backend/cuda/repeated_work.hpp>
#include <plateau/backend/cuda/rows.hpp>
#include <plateau/backend/cuda/sign_codes.hpp>
#include <plateau/backend/cuda/tangents.hpp>
