#include "base/process.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <fstream>
#include <string_view>

namespace inlay {

namespace {

std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not take a lock");

void on_signal(int signal) {
  if (g_interrupted.exchange(true)) _exit(128 + signal);
}

// The rest of the first line of `path` that begins with `key`, without the colon and blanks; ""
// when there is none.
std::string value_in(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t start = line.find_first_not_of(": \t", key.size());
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

uint64_t kilobytes_in(const char* path, std::string_view key) {
  const std::string value = value_in(path, key);
  return value.empty() ? 0 : std::strtoull(value.c_str(), nullptr, 10);
}

}  // namespace

uint64_t peak_rss_bytes() {
  // getrusage() would also count what the parent held before it started this program.
  const uint64_t kilobytes = kilobytes_in("/proc/self/status", "VmHWM");
  if (kilobytes != 0) return kilobytes * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

uint64_t current_rss_bytes() { return kilobytes_in("/proc/self/status", "VmRSS") * 1024; }

uint64_t available_memory_bytes() {
  uint64_t kilobytes = kilobytes_in("/proc/meminfo", "MemAvailable");
  if (kilobytes != 0) return kilobytes * 1024;
  auto pages = static_cast<uint64_t>(std::max<long>(0, ::sysconf(_SC_AVPHYS_PAGES)));
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string cpu_model() {
  std::string model = value_in("/proc/cpuinfo", "model name");
  if (!model.empty()) return model;
  utsname name{};
  return uname(&name) == 0 ? name.machine : "unknown";
}

std::string cpu_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16")) return "avx512_bf16";
  if (__builtin_cpu_supports("avx512f")) return "avx512";
  if (__builtin_cpu_supports("avx2")) return "avx2";
  return "sse2";
#elif defined(__aarch64__)
  return "neon";
#else
  return "scalar";
#endif
}

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

std::string utc_timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void ignore_file_size_signal() { std::signal(SIGXFSZ, SIG_IGN); }

bool interrupted() { return g_interrupted.load(std::memory_order_relaxed); }

}  // namespace inlay
