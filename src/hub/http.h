// One GET over HTTP, on libcurl. Redirects are followed here, hop by hop, so that a token is sent
// only to the host, port and scheme it is meant for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inlay {

struct HttpRequest {
  std::string url;
  std::string
      token;  // sent as "Authorization: Bearer ..." to the origin of `url` only; empty for none
  uint64_t first_byte = 0;  // more than 0: asks for the rest from this byte on (Range)
};

struct HttpResponse {
  long status = 0;                             // of the last hop; 0 when no answer came
  std::map<std::string, std::string> headers;  // of the last hop; names in lower case
  std::string linked_etag, linked_size;  // x-linked-*, from the hop that the Hub itself answered
  std::string failure;                   // not empty: the transfer broke off, and why

  std::string header(const std::string& name) const;
};

// Called with a 200 or 206 answer's bytes; `start` comes once before them, `tick` now and then.
// They may throw.
struct HttpSink {
  std::function<void(const HttpResponse&)> start;
  std::function<void(std::span<const std::byte>)> write;
  std::function<void()> tick;
};

// A status is returned, whatever it is, and so is a broken transfer. Errors are thrown for what no
// retry mends: a bad URL, too many redirects, one from https to http.
HttpResponse http_get(const HttpRequest& request, const HttpSink& sink);

// `text` with everything but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace inlay
