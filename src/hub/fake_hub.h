// For tests: an HTTP server on 127.0.0.1 that answers as a function says. One thread, one request
// per connection; it can cut a body short, which a polite server library would not do.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace inlay {

struct FakeRequest {
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case

  bool has(const std::string& name) const { return headers.count(name) > 0; }
  // The N of "Range: bytes=N-".
  std::size_t first_byte() const {
    return has("range") ? std::stoul(headers.at("range").substr(6)) : 0;
  }
};

struct FakeReply {
  int status = 200;
  std::vector<std::string> headers;
  std::string body;
  std::optional<std::size_t> send_only;  // close the connection after so many bytes of the body
};

class FakeHub {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;

  explicit FakeHub(Handler handler)
      : handler_(std::move(handler)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(socket_, 16);
    socklen_t length = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeHub() {
    stopping_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<FakeRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      int client = ::accept(socket_, nullptr, nullptr);
      if (client < 0) continue;
      answer(client);
      ::close(client);
    }
  }

  void answer(int client) {
    std::string text;
    char buffer[4096];
    while (text.find("\r\n\r\n") == text.npos) {
      ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) return;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    FakeRequest request = parse(text);
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    FakeReply reply = handler_(request);
    std::string answer =
        "HTTP/1.1 " + std::to_string(reply.status) + " Said\r\nConnection: close\r\n";
    for (const std::string& header : reply.headers) answer += header + "\r\n";
    answer += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
    answer += reply.body.substr(0, reply.send_only.value_or(reply.body.size()));
    for (std::size_t at = 0; at < answer.size();) {
      ssize_t put = ::send(client, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
      if (put <= 0) return;
      at += static_cast<std::size_t>(put);
    }
  }

  static FakeRequest parse(const std::string& text) {
    std::istringstream lines(text);
    FakeRequest request;
    std::string line;
    lines >> line >> request.path;
    std::getline(lines, line);
    while (std::getline(lines, line) && line.size() > 1) {
      std::size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = line.substr(colon + 2, line.size() - colon - 3);
    }
    return request;
  }

  Handler handler_;
  int socket_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<FakeRequest> requests_;
  std::thread thread_;
};

}  // namespace inlay
