// How a line of the access log looks: as a JSON object, for machines, or as the "combined" format that web servers have
// written since NCSA's, for the tools that read those.
//
// Pure: a record in, text out. One record makes exactly one line, whatever bytes a client has sent: nothing of it ends
// the line, leaves its quotes or reaches a terminal. Used by the thread that writes the log.
#pragma once

#include <string>

#include "core/model/access_record.h"

namespace weir {

// Both append one line without its newline.
//
// {"time":"2026-11-20T12:00:00.123Z","request_id":"...","client":"10.0.0.1", ... }: every key each time, but for
// `refusal`, which is there only with something to say. What is not UTF-8 becomes U+FFFD.
void append_access_json(std::string& out, const AccessRecord& record);

// 10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /x HTTP/1.1" 200 2326 "referer" "user agent": quotes, backslashes and
// all that is not printable ASCII as \xHH; "-" for what there is not.
void append_access_combined(std::string& out, const AccessRecord& record);

}  // namespace weir
