// modules/acc/cdr.h - call data records: one line and one row for each call, written when it is over
#pragma once

#include "core/module/host.h"
#include "modules/acc/field.h"
#include "modules/acc/row_writer.h"
#include "modules/acc/settings.h"
#include "modules/dialog/api.h"

#include <memory>
#include <string>
#include <vector>

namespace sipyard::acc {

// The dialog module tells when a call ends and has its $dlg_var at hand then.
class Cdr final : public dialog::EndListener {
public:
    Cdr(const Settings& settings, Host& host, RowWriter* rows); // rows: null without a database
    void on_end(Request& request, const dialog::Dialog& dialog, How how) override;

private:
    static RowShape shape_of(const Settings& settings, const std::vector<Field>& extra);

    const Settings settings_;
    const log::Logger log_;
    const std::vector<Field> extra_;
    const std::shared_ptr<const VariableRef> skip_; // cdr_skip; null without one
    const RowShape shape_;
    RowWriter* const rows_;
};

// "start_time=1795280839.120; end_time=1795280842.240; duration=3.120" of milliseconds since 1970; a call
// that was not answered lasted 0.
std::string cdr_times(const Settings& settings, std::int64_t start, std::int64_t end, bool answered);

} // namespace sipyard::acc
