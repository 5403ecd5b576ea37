// Sinks that take bytes: files, and what stdout may be (a file, a pipe, a terminal, a socket).
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "control/access_sink.h"
#include "core/base/fd.h"

namespace weir {
namespace {

// A batch is one write(2) where the kernel takes it whole, so that lines of several processes do not mix in a file.
class StreamSink : public AccessSink {
 public:
  Delivery deliver(const AccessLines& lines, const Patience& patience) noexcept final {
    Delivery delivery;
    if (!fd_.valid()) {
      delivery.error = mend();
      if (delivery.error != 0) return delivery;
      delivery.reopened = true;
    }
    // The rest of a line that was cut off is lost; the next one shall not look like its end.
    if (torn_) {
      delivery.error = write_all("\n", patience, delivery.bytes);
      torn_ = delivery.error != 0;
    }
    size_t written = 0;
    if (delivery.error == 0) delivery.error = write_all(lines.text(), patience, written);
    delivery.bytes += written;
    delivery.lines = lines.count_within(written);
    torn_ = torn_ || (written != 0 && lines.text()[written - 1] != '\n');
    if (is_broken_by(delivery.error)) fd_.reset();
    return delivery;
  }

 protected:
  enum class Way : uint8_t {
    plain,      // write(2) does not wait: a file, or opened as non-blocking
    in_pieces,  // write(2) may wait, but not for so few bytes after poll(2) has said that there is room
    socket,
  };

  void use(Fd fd, Way way) noexcept {
    fd_ = std::move(fd);
    way_ = way;
    torn_ = false;
  }

  // Opens what a failure has closed; 0, or the errno.
  virtual int mend() noexcept = 0;

 private:
  // Full disks and slow readers get better by themselves; anything else wants a new descriptor.
  static bool is_broken_by(int error) noexcept {
    switch (error) {
      case 0:
      case EAGAIN:
      case ENOSPC:
      case EDQUOT:
      case EFBIG: return false;
      default: return true;
    }
  }

  // 0, or the errno that ended it; `written` is how far it came.
  int write_all(std::string_view text, const Patience& patience, size_t& written) noexcept {
    while (written < text.size()) {
      if (way_ == Way::in_pieces && !patience.await_writable(fd_.get())) return EAGAIN;
      const ssize_t taken = write_some(text.substr(written));
      if (taken > 0) {
        written += static_cast<size_t>(taken);
      } else if (taken < 0 && errno == EAGAIN) {
        // Should the two calls not agree, time goes on all the same.
        if (patience.is_over() || !patience.await_writable(fd_.get())) return EAGAIN;
      } else if (taken == 0 || errno != EINTR) {
        return taken == 0 ? EIO : errno;  // 0 is what no file says to a write that is not empty
      }
    }
    return 0;
  }

  ssize_t write_some(std::string_view text) noexcept {
    switch (way_) {
      case Way::plain: break;
      case Way::in_pieces: return ::write(fd_.get(), text.data(), std::min<size_t>(text.size(), PIPE_BUF));
      case Way::socket: return ::send(fd_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return ::write(fd_.get(), text.data(), text.size());
  }

  Fd fd_;  // not valid after a failure, until mend()
  Way way_ = Way::plain;
  bool torn_ = false;  // the last byte written was not the end of a line
};

class FileSink final : public StreamSink {
 public:
  FileSink(std::string path, uint32_t mode) : path_(std::move(path)), mode_(mode) {}

  // 0, or the errno.
  int open() noexcept {
    // O_NONBLOCK means nothing to a file, but the path may be a FIFO: its reader must not be waited for.
    constexpr int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    constexpr int attempts_max = 8;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      Fd fd{::open(path_.c_str(), flags)};
      if (!fd.valid() && errno == ENOENT) {
        fd.reset(::open(path_.c_str(), flags | O_CREAT | O_EXCL, mode_));
        // The umask has taken bits away that the configuration may have given.
        if (fd.valid() && ::fchmod(fd.get(), mode_) != 0) return errno;
      }
      if (fd.valid()) {
        use(std::move(fd), Way::plain);
        return 0;
      }
      // EEXIST: somebody made it between the two. EINTR: a slow file system.
      if (errno != EEXIST && errno != EINTR) return errno;
    }
    return EEXIST;
  }

  std::string reopen() override {
    const int error = open();
    return error == 0 ? std::string{} : explain(error);
  }

  std::string explain(int error) const {
    namespace fs = std::filesystem;
    const std::string sentence = "access log " + path_ + ": ";
    std::string folder = fs::path{path_}.parent_path().string();
    if (folder.empty()) folder = "the current directory";
    std::error_code ignored;
    switch (error) {
      case ENOENT:
        return sentence + "the directory " + folder + " does not exist; create it (mkdir -p " + folder +
               ") or choose another path";
      case ENOTDIR: return sentence + folder + " is not a directory; choose another path";
      case EISDIR: return sentence + "it is a directory; choose the path of a file in it";
      case ENXIO:
        if (fs::is_socket(fs::status(path_, ignored))) {
          return sentence + "it is a socket; write `to: unix:" + path_ + "` to send datagrams there";
        }
        return sentence + "nobody reads this FIFO; start its reader first, or choose a file";
      case EACCES:
      case EPERM:
      case EROFS:
        return sentence + "no permission to write it; make it (and " + folder +
               ", for files that are made anew) writable for this user or choose another path";
      default: return sentence + std::generic_category().message(error) + "; choose another path if that lasts";
    }
  }

 private:
  int mend() noexcept override { return open(); }

  const std::string path_;
  const uint32_t mode_;
};

class DescriptorSink final : public StreamSink {
 public:
  DescriptorSink(int fd, std::string name) : borrowed_(fd), name_(std::move(name)) {}

  int open() noexcept {
    struct stat status {};
    if (::fstat(borrowed_, &status) != 0) return errno;
    // A pipe or terminal must not be waited for. O_NONBLOCK on the descriptor itself would change it for the shell that
    // started us too; opened anew through /proc it has flags of its own. Not so a file: its new position would be 0.
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
      const std::string path = "/proc/self/fd/" + std::to_string(borrowed_);
      Fd fd{::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
      if (fd.valid()) {
        use(std::move(fd), Way::plain);
        return 0;
      }
      if (errno == ENXIO) return EPIPE;  // a pipe that nobody reads
    }
    // Also a pipe that belongs to another user (EACCES), or no /proc.
    Fd fd{::fcntl(borrowed_, F_DUPFD_CLOEXEC, 0)};
    if (!fd.valid()) return errno;
    use(std::move(fd), S_ISSOCK(status.st_mode) ? Way::socket : S_ISREG(status.st_mode) ? Way::plain : Way::in_pieces);
    return 0;
  }

  // It has no name by which it would be another one now.
  std::string reopen() override { return {}; }

  std::string explain(int error) const {
    return "access log " + name_ + ": " + std::generic_category().message(error) +
           "; start weir with it open, or log to a file";
  }

 private:
  int mend() noexcept override { return open(); }

  const int borrowed_;
  const std::string name_;
};

template <class Sink>
OpenedSink opened(std::unique_ptr<Sink> sink) {
  if (const int error = sink->open(); error != 0) return sink->explain(error);
  return OpenedSink{std::unique_ptr<AccessSink>{std::move(sink)}};
}

}  // namespace

OpenedSink open_file_sink(const std::string& path, uint32_t mode) {
  return opened(std::make_unique<FileSink>(path, mode));
}

OpenedSink open_descriptor_sink(int fd, const std::string& name) {
  return opened(std::make_unique<DescriptorSink>(fd, name));
}

}  // namespace weir
