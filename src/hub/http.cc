#include "hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxHeaders = 200;

using Easy = std::unique_ptr<CURL, void (*)(CURL*)>;
using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;
using Url = std::unique_ptr<CURLU, void (*)(CURLU*)>;

Easy new_easy() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  Easy easy(curl_easy_init(), curl_easy_cleanup);
  ensure(initialised == CURLE_OK && easy != nullptr, "libcurl cannot be initialised");
  return easy;
}

// "https://host:port", the port always written out.
std::string origin_of(const std::string& address) {
  Url url(curl_url(), curl_url_cleanup);
  require(curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) == CURLUE_OK,
          ErrorKind::kUsage, "\"{}\" is not a URL", address);
  std::string origin;
  for (CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(url.get(), part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) origin += text;
    origin += part == CURLUPART_SCHEME ? "://" : part == CURLUPART_HOST ? ":" : "";
    curl_free(text);
  }
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return origin;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Messages show origins only: what follows them may be a signature that lets anyone in.
void check_redirect(const std::string& from, const std::string& to) {
  bool secure = to.rfind("https://", 0) == 0;
  bool plain = to.rfind("http://", 0) == 0 && from.rfind("http://", 0) == 0;
  require(secure || plain, ErrorKind::kIo, "{}: leads to {}; refused", from, to);
}

std::string trimmed(std::string_view text) {
  std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos
             ? ""
             : std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// One request and its answer. libcurl is C: an exception from the sink is held until it has
// returned.
class Hop {
 public:
  Hop(const HttpSink& sink, HttpResponse& response)
      : sink_(sink), response_(response), easy_(new_easy()) {}

  void run(const std::string& url, const HttpRequest& request, bool with_token) {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "inlay");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Hop::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Hop::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Hop::on_tick);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
    HeaderList headers(nullptr, curl_slist_free_all);
    if (with_token)
      headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + request.token).c_str()));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    std::string range = std::to_string(request.first_byte) + "-";
    if (request.first_byte > 0) curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());

    CURLcode code = curl_easy_perform(easy);
    if (thrown_) std::rethrow_exception(thrown_);
    if (code != CURLE_OK) response_.failure = curl_easy_strerror(code);
    if (code == CURLE_OK && has_body() && !started_) sink_.start(response_);
  }

  std::string redirect_target() const {
    char* url = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &url);
    return url == nullptr ? "" : url;
  }

 private:
  bool has_body() const { return response_.status == 200 || response_.status == 206; }

  template <class Call>
  bool guarded(Call call) {
    try {
      call();
      return true;
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  void header(std::string_view line) {
    if (line.substr(0, 5) == "HTTP/") {  // a status line; also after "100 Continue"
      response_.headers.clear();
      response_.status =
          std::atol(std::string(line.substr(std::min(line.size(), line.find(' ')))).c_str());
      return;
    }
    std::size_t colon = line.find(':');
    if (colon == line.npos || response_.headers.size() >= kMaxHeaders) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    response_.headers[name] = trimmed(line.substr(colon + 1));
  }

  void body(std::span<const std::byte> bytes) {
    if (!has_body()) return;
    if (!started_) sink_.start(response_);
    started_ = true;
    sink_.write(bytes);
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto* hop = static_cast<Hop*>(self);
    return hop->guarded([&] { hop->header({data, size * count}); }) ? size * count : 0;
  }
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto* hop = static_cast<Hop*>(self);
    auto bytes = std::as_bytes(std::span(data, size * count));
    return hop->guarded([&] { hop->body(bytes); }) ? size * count : size * count + 1;
  }
  static int on_tick(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* hop = static_cast<Hop*>(self);
    return !hop->sink_.tick || hop->guarded([&] { hop->sink_.tick(); }) ? 0 : 1;
  }

  const HttpSink& sink_;
  HttpResponse& response_;
  Easy easy_;
  bool started_ = false;
  std::exception_ptr thrown_;
};

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpResponse http_get(const HttpRequest& request, const HttpSink& sink) {
  HttpResponse response;
  const std::string origin = origin_of(request.url);
  std::string url = request.url;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    bool at_origin = origin_of(url) == origin;
    Hop step(sink, response);
    step.run(url, request, at_origin && !request.token.empty());
    if (at_origin && response.linked_etag.empty())
      response.linked_etag = response.header("x-linked-etag");
    if (at_origin && response.linked_size.empty())
      response.linked_size = response.header("x-linked-size");
    if (!response.failure.empty() || !is_redirect(response.status)) return response;
    std::string next = step.redirect_target();
    require(!next.empty(), ErrorKind::kIo, "{}: answered {} without saying where to go",
            origin_of(url), response.status);
    check_redirect(origin_of(url), origin_of(next));
    url = std::move(next);
  }
  fail(ErrorKind::kIo, "{}: more than {} redirects", request.url, kMaxRedirects);
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (unsigned char c : text) {
    bool plain = std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return encoded;
}

}  // namespace inlay
