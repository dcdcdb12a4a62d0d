// modules/sqlops/result_key.h - the inside of $dbr(name=>key): which part of a query's result is meant
#pragma once

#include "core/base/result.h"

#include <cstdint>
#include <string_view>

namespace sipyard::sqlops {

// rows, cols, [row,col] and colname[n], counted from 0. The name is a view of the text.
struct ResultKey {
    enum class Part : unsigned char { rows, cols, cell, colname };
    std::string_view name;
    Part part = Part::rows;
    std::int64_t row = 0, column = 0;

    static Result<ResultKey> parse(std::string_view text);
};

} // namespace sipyard::sqlops
