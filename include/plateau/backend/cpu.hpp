#pragma once
/// The whole CPU backend.

#include <plateau/backend/cpu/attention.hpp>
#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/cpu/elementwise.hpp>
#include <plateau/backend/cpu/linear.hpp>
#include <plateau/backend/cpu/logits.hpp>
#include <plateau/backend/cpu/memory.hpp>
#include <plateau/backend/cpu/norm.hpp>
