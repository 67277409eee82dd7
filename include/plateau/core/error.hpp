#pragma once
/// Exceptions of the library. Every message says what is wrong, where, and the way out.

#include <stdexcept>
#include <string>

namespace plateau {

/// Base of everything that plateau throws on purpose.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The caller asked for something that makes no sense (a program answers with exit status 2).
class usage_error : public error {
public:
    using error::error;
};

/// A file is missing, unreadable, truncated, malformed, or could not be written.
class file_error : public error {
public:
    using error::error;
};

/// A model configuration is malformed or asks for something that is not supported.
class config_error : public error {
public:
    using error::error;
};

/// Extents do not fit together.
class shape_error : public error {
public:
    using error::error;
};

/// An argument lies outside the domain of a mathematical operation.
class domain_error : public error {
public:
    using error::error;
};

/// A computation produced a value that is not finite.
class numeric_error : public error {
public:
    using error::error;
};

/// A hook point does not exist, or a hook was never reached.
class site_error : public error {
public:
    using error::error;
};

/// The request does not fit into memory.
class memory_error : public error {
public:
    using error::error;
};

}  // namespace plateau
