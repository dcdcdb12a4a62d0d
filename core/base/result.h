// core/base/result.h - expected failures as values: Error, Result<T>, TRY, must()
#pragma once

#include <cassert>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace sipyard {

// What went wrong, for a switch; the sentence beside it carries the offending text.
enum class ErrorKind : unsigned char {
    invalid, // the text or value does not follow its grammar or range
    not_found,
    unsupported,
    timeout,    // the deadline passed; the work may still happen
    overloaded, // a bounded queue is full
    stopping,   // the server is shutting down
    busy,       // somebody else holds it, try again (database lock)
    lost,       // the connection to a peer or database is gone
    unique,     // a unique index refused the row
    constraint, // another constraint refused it
    syntax,     // the other side did not understand the statement
    io,         // the operating system said no
    other,
};
std::string_view to_text(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::other;
    std::string text;
};

// A configuration or environment the server cannot start with. Thrown only before the workers run.
class StartupError : public std::exception {
public:
    explicit StartupError(std::string text) : text_{std::move(text)} {}
    const char* what() const noexcept override { return text_.c_str(); }

private:
    std::string text_;
};

// Either a T or an Error. Ask (`if (!result)`) before you take.
template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;
    Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
    Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}
    template <class U>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && std::is_convertible_v<U, T>) Result(U&& value)
        : state_{std::in_place_index<0>, T(std::forward<U>(value))}
    {
    }

    explicit operator bool() const { return state_.index() == 0; }
    bool has_value() const { return state_.index() == 0; }
    T& value() &
    {
        assert(has_value());
        return std::get<0>(state_);
    }
    const T& value() const&
    {
        assert(has_value());
        return std::get<0>(state_);
    }
    T value() &&
    {
        assert(has_value());
        return std::move(std::get<0>(state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Error& error() const
    {
        assert(!has_value());
        return std::get<1>(state_);
    }
    T value_or(T other) const { return has_value() ? std::get<0>(state_) : std::move(other); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    Result() = default;
    Result(Error error) : error_{std::move(error)} {}
    explicit operator bool() const { return !error_; }
    bool has_value() const { return !error_; }
    void value() const { assert(has_value()); }
    const Error& error() const
    {
        assert(error_);
        return *error_;
    }

private:
    std::optional<Error> error_;
};

template <class T>
T must(Result<T> result)
{
    if (!result)
        throw StartupError{result.error().text};
    if constexpr (!std::is_void_v<T>)
        return std::move(result).value();
}

inline Error invalid(std::string text) { return {ErrorKind::invalid, std::move(text)}; }

} // namespace sipyard

// TRY(auto x, f()): x is the value, or the enclosing function returns the error. TRYV(f()) for Result<void>.
#define SIPYARD_JOIN2(a, b) a##b
#define SIPYARD_JOIN(a, b) SIPYARD_JOIN2(a, b)
#define TRY(declaration, expression)                                                                         \
    auto SIPYARD_JOIN(try_result_, __LINE__) = (expression);                                                 \
    if (!SIPYARD_JOIN(try_result_, __LINE__))                                                                \
        return SIPYARD_JOIN(try_result_, __LINE__).error();                                                  \
    declaration = std::move(SIPYARD_JOIN(try_result_, __LINE__)).value()
#define TRYV(expression)                                                                                     \
    if (auto try_status = (expression); !try_status)                                                         \
    return try_status.error()
