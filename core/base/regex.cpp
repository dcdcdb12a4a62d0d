// core/base/regex.cpp - regular expressions on top of PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/base/regex.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <pcre2.h>

#include <atomic>
#include <new>

namespace sipyard {

namespace {

// Backtracking steps of one match. JIT code does some 100 of them in a microsecond, the interpreter some 20.
constexpr std::uint32_t most_steps = 200'000;
// Only the interpreter keeps its backtracking on the heap; in KiB.
constexpr std::uint32_t most_heap = 1024;
constexpr std::size_t jit_stack_start = 32 * 1024;
constexpr std::size_t jit_stack_limit = 512 * 1024;
constexpr std::uint32_t deepest_group = 30; // compiling these takes 38 KiB of a fiber's 64 KiB stack
constexpr std::size_t longest_pattern = 64 * 1024;

std::atomic<std::uint64_t> hits{0};

// What a match writes to. A fiber never suspends inside a match, so one of each is enough for a thread.
struct Scratch {
    pcre2_match_data* data = pcre2_match_data_create(Regex::max_groups, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_jit_stack* stack = pcre2_jit_stack_create(jit_stack_start, jit_stack_limit, nullptr);

    Scratch()
    {
        if (data == nullptr || context == nullptr)
            throw std::bad_alloc{};
        pcre2_set_match_limit(context, most_steps);
        pcre2_set_heap_limit(context, most_heap);
        if (stack != nullptr) // else JIT code has 32 KiB of the fiber's stack, which it checks as well
            pcre2_jit_stack_assign(context, nullptr, stack);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch()
    {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
        pcre2_jit_stack_free(stack);
    }
};

Scratch& scratch()
{
    thread_local Scratch mine;
    return mine;
}

class CompileContext {
public:
    CompileContext() : context_{pcre2_compile_context_create(nullptr)}
    {
        if (context_ == nullptr)
            throw std::bad_alloc{};
        pcre2_set_newline(context_, PCRE2_NEWLINE_LF);
        pcre2_set_parens_nest_limit(context_, deepest_group);
    }
    CompileContext(const CompileContext&) = delete;
    CompileContext& operator=(const CompileContext&) = delete;
    ~CompileContext() { pcre2_compile_context_free(context_); }
    pcre2_compile_context* get() { return context_; }

private:
    pcre2_compile_context* context_;
};

std::string message_of(int code)
{
    PCRE2_UCHAR text[160];
    const int size = pcre2_get_error_message(code, text, sizeof text);
    return size < 0 ? std::string{"unknown error"} : std::string{reinterpret_cast<const char*>(text)};
}

PCRE2_SPTR units(std::string_view text)
{
    return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

} // namespace

struct Regex::Compiled {
    pcre2_code* code = nullptr;
    bool jit = false;
    std::string pattern;

    Compiled() = default;
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() { pcre2_code_free(code); }

    // Number of ranges in scratch().data, 0 when nothing matched.
    std::size_t run(std::string_view subject, std::size_t from) const
    {
        const Scratch& s = scratch();
        const auto match = jit ? pcre2_jit_match : pcre2_match;
        const int found = match(code, units(subject), subject.size(), from, 0, s.data, s.context);
        if (found > 0)
            return static_cast<std::size_t>(found);
        if (found == 0) // more groups than ranges: all ranges are filled
            return max_groups;
        if (found != PCRE2_ERROR_NOMATCH)
            hits.fetch_add(1, std::memory_order_relaxed);
        return 0;
    }
};

Result<Regex> Regex::compile(std::string_view pattern, Syntax syntax, Case letters, LineEnds line_ends)
{
    if (pattern.size() > longest_pattern)
        return invalid(format("a regular expression of {} bytes is too long", pattern.size()));
    // Texts are bytes: without UTF mode the JIT entry may skip its checks of the subject.
    std::uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    std::string translated;
    std::string_view perl = pattern;
    if (syntax == Syntax::posix_extended) {
        TRY(translated, perl_from_posix(pattern, line_ends));
        perl = translated;
        options |= line_ends == LineEnds::separates ? PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX
                                                    : PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY;
    }
    if (letters == Case::insensitive)
        options |= PCRE2_CASELESS;

    CompileContext context;
    auto compiled = std::make_shared<Compiled>();
    int error = 0;
    PCRE2_SIZE offset = 0;
    compiled->code = pcre2_compile(units(perl), perl.size(), options, &error, &offset, context.get());
    if (compiled->code == nullptr) {
        if (syntax == Syntax::perl)
            return invalid(
                format("{} at position {} of regular expression '{}'", message_of(error), offset, pattern));
        return invalid(format("{} in regular expression '{}'", message_of(error), pattern));
    }
    compiled->pattern = pattern;
    // Where the system forbids executable memory the interpreter does the same work. A pattern may also start
    // with
    // (*NO_JIT); then there is no code to enter.
    std::size_t jit_size = 0;
    compiled->jit = pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE) == 0 &&
                    pcre2_pattern_info(compiled->code, PCRE2_INFO_JITSIZE, &jit_size) == 0 && jit_size > 0;
    Regex regex;
    regex.compiled_ = std::move(compiled);
    return regex;
}

bool Regex::matches(std::string_view subject) const { return compiled_ && compiled_->run(subject, 0) > 0; }

bool Regex::find(std::string_view subject, std::size_t from, Match& out) const
{
    out.groups = 0;
    if (!compiled_ || from > subject.size())
        return false;
    out.groups = compiled_->run(subject, from);
    const PCRE2_SIZE* const offsets = pcre2_get_ovector_pointer(scratch().data);
    for (std::size_t i = 0; i < out.groups; ++i) {
        out.group[i].begin = offsets[2 * i]; // PCRE2_UNSET is npos
        out.group[i].end = offsets[2 * i + 1];
    }
    // \K in a look-ahead can put the start behind the end.
    if (out.groups > 0 && out.group[0].begin > out.group[0].end)
        out.group[0].begin = out.group[0].end;
    return out.groups > 0;
}

std::string_view Regex::pattern() const
{
    return compiled_ ? std::string_view{compiled_->pattern} : std::string_view{};
}

std::uint64_t Regex::limit_hits() { return hits.load(std::memory_order_relaxed); }

static_assert(PCRE2_UNSET == std::string_view::npos);

} // namespace sipyard
