#pragma once
/// The whole CPU backend.

#include <plateau/backend/cpu/attention.hpp>
#include <plateau/backend/cpu/attention_tangents.hpp>
#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/cpu/cotangents.hpp>
#include <plateau/backend/cpu/elementwise.hpp>
#include <plateau/backend/cpu/linear.hpp>
#include <plateau/backend/cpu/log_probabilities.hpp>
#include <plateau/backend/cpu/logits.hpp>
#include <plateau/backend/cpu/memory.hpp>
#include <plateau/backend/cpu/norm.hpp>
#include <plateau/backend/cpu/rows.hpp>
#include <plateau/backend/cpu/sign_codes.hpp>
#include <plateau/backend/cpu/tangents.hpp>
