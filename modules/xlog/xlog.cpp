// modules/xlog/xlog.cpp - log lines written by the script (spec/script 21)
#include "core/base/text.h"
#include "core/module/module.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::xlog {

class Xlog {
public:
    struct Settings {
        int buf_size = 4096, force_color = 0, long_format = 0, methods_filter = -1;
        std::string prefix = "<script>: ", log_facility, log_colors;
    };
    static Manifest<Xlog> manifest();

    Xlog(const Settings& settings, Host& host)
        : settings_{settings}, log_prefix_{host.core().log_prefix.empty()
                                               ? nullptr
                                               : must(host.compile_format(host.core().log_prefix))},
          own_prefix_{settings.prefix == Settings{}.prefix ? std::string{} : settings.prefix},
          journal_{host.journal()}
    {
    }

private:
    using Level = log::Level;

    static std::optional<Level> level_of(const Value& value)
    {
        static constexpr struct {
            std::string_view name;
            Level level;
        } names[] = {{"L_ALERT", Level::alert},   {"L_BUG", Level::bug},   {"L_CRIT2", Level::critical},
                     {"L_CRIT", Level::crit},     {"L_ERR", Level::err},   {"L_WARN", Level::warn},
                     {"L_NOTICE", Level::notice}, {"L_INFO", Level::info}, {"L_DBG", Level::dbg}};
        std::int64_t number = value.number();
        if (value.is_text()) {
            for (const auto& row : names)
                if (iequals(row.name, value.text()))
                    return row.level;
            const auto read = parse_int(value.text());
            if (!read)
                return std::nullopt;
            number = *read;
        }
        return static_cast<Level>(std::clamp<std::int64_t>(number, -5, 3));
    }

    Verdict put(Request& request, Level level, std::string_view text)
    {
        if (!journal_.enabled(level))
            return Verdict::yes();
        const std::string_view log_prefix = log_prefix_ ? log_prefix_->expand(request) : std::string_view{};
        text = text.substr(0, static_cast<std::size_t>(std::max(settings_.buf_size, 1)));
        if (text.ends_with('\n'))
            text.remove_suffix(1);                    // a line of its own already
        const log::Logger script{journal_, "script"}; // writes "<script>: ", the default prefix, itself
        if (own_prefix_.empty())
            script.line(level, log_prefix, text);
        else
            script.line(level, log_prefix, own_prefix_ + std::string{text});
        return Verdict::yes();
    }
    Verdict put_at(Request& request, const Value& level, std::string_view text)
    {
        const auto found = level_of(level);
        if (!found) {
            log::Logger{journal_, "xlog"}.error(
                "'{}' is no log level: expected L_ALERT ... L_DBG or a number", level.text());
            return Verdict::no();
        }
        return put(request, *found, text);
    }

    Verdict xlog1(Request& r, std::string_view text) { return put(r, Level::err, text); }
    Verdict xlog2(Request& r, Value level, std::string_view text) { return put_at(r, level, text); }
    Verdict xlog3(Request& r, std::string_view, Value level, std::string_view text)
    {
        return put_at(r, level, text);
    }
    Verdict xlogl1(Request& r, std::string_view text) { return xlog1(r, text); }
    Verdict xlogm(Request& r, Value level, std::string_view text) { return put_at(r, level, text); }
    template <Level level>
    Verdict at(Request& request, std::string_view text)
    {
        return put(request, level, text);
    }

    const Settings settings_;
    // The core's log_prefix with its variables; null when there is none.
    const std::shared_ptr<const Host::Format> log_prefix_;
    const std::string own_prefix_; // of the operator; empty: the default
    log::Journal& journal_;
};

Manifest<Xlog> Xlog::manifest()
{
    using M = Xlog;
    return {
        .name = "xlog",
        .about = "Log lines of the script, with variables in them",
        .params = {param("buf_size", &Settings::buf_size, "Longest text, in bytes; the rest is cut"),
                   param("force_color", &Settings::force_color, "Accepted without effect"),
                   param("long_format", &Settings::long_format, "Accepted without effect"),
                   param("methods_filter", &Settings::methods_filter, "Accepted without effect"),
                   param("prefix", &Settings::prefix, "Put before every text; another one follows <script>:"),
                   param("log_facility", &Settings::log_facility, "Accepted; the core's log_facility counts"),
                   param("log_colors", &Settings::log_colors, "Accepted without effect")},
        .functions = {function("xlog", &M::xlog1, "Logs the text at level L_ERR"),
                      function("xlog", &M::xlog2, "Logs the text at the level"),
                      function("xlog", &M::xlog3, "Logs the text at the level; the facility is the core's"),
                      function("xlogl", &M::xlogl1, "As xlog"), function("xlogl", &M::xlog2, "As xlog"),
                      function("xlogm", &M::xlogm, "As xlog with a level"),
                      function("xdbg", &M::at<Level::dbg>, "Logs at L_DBG"),
                      function("xinfo", &M::at<Level::info>, "Logs at L_INFO"),
                      function("xnotice", &M::at<Level::notice>, "Logs at L_NOTICE"),
                      function("xwarn", &M::at<Level::warn>, "Logs at L_WARN"),
                      function("xerr", &M::at<Level::err>, "Logs at L_ERR"),
                      function("xcrit", &M::at<Level::crit>, "Logs at L_CRIT"),
                      function("xbug", &M::at<Level::bug>, "Logs at L_BUG"),
                      function("xalert", &M::at<Level::alert>, "Logs at L_ALERT")},
    };
}

} // namespace sipyard::xlog

SIPYARD_MODULE(sipyard::xlog::Xlog)
