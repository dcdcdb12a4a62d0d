// modules/xcap_server/statistics.h - what the server counts, for xcap.stats and the metrics modules
#pragma once

#include "core/module/counter.h"

#include <functional>
#include <string_view>

namespace sipyard::xcap_server {

// The counters live with the host; this names them once.
struct Statistics {
    using Make = std::function<Counter&(std::string_view name, std::string_view about)>;
    explicit Statistics(const Make& make)
        : gets{make("gets", "GET and HEAD requests")}, puts{make("puts", "PUT requests")},
          deletes{make("deletes", "DELETE requests")}, others{make("other_methods",
                                                                   "requests of other methods")},
          ok{make("replies_200", "documents sent, replaced or deleted")}, created{make("replies_201",
                                                                                       "documents created")},
          not_modified{make("replies_304", "readers that had the version already")},
          forbidden{make("replies_403", "requests for what belongs to others")},
          not_found{make("replies_404", "requests for what is not there")},
          conflict{make("replies_409", "bodies refused with an error document")},
          precondition{make("replies_412", "conditions that did not hold")},
          other_refusals{make("replies_4xx_other", "other refusals")},
          unavailable{make("replies_5xx", "requests the server could not serve")},
          cache_hits{make("cache_hits", "documents taken from the cache")},
          cache_checks{make("cache_checks", "entity tags read to see whether the cache is right")},
          cache_misses{make("cache_misses", "documents read from the database")},
          conflicts{make("write_conflicts", "writes that found another version")}, retries{make(
                                                                                       "write_retries",
                                                                                       "writes tried again")},
          parse_time{make("parse_microseconds", "time spent examining bodies")}
    {
    }
    Counter& of_status(int code)
    {
        switch (code) {
        case 200: return ok;
        case 201: return created;
        case 304: return not_modified;
        case 403: return forbidden;
        case 404: return not_found;
        case 409: return conflict;
        case 412: return precondition;
        default: return code >= 500 ? unavailable : other_refusals;
        }
    }
    Counter &gets, &puts, &deletes, &others, &ok, &created, &not_modified, &forbidden, &not_found, &conflict,
        &precondition, &other_refusals, &unavailable, &cache_hits, &cache_checks, &cache_misses, &conflicts,
        &retries, &parse_time;
};

} // namespace sipyard::xcap_server
