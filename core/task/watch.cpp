// core/task/watch.cpp - descriptors in the worker's epoll
#include "core/task/worker_parts.h"

#include <cerrno>
#include <cstring>
#include <sys/epoll.h>

namespace sipyard::task {

Watch::Watch(Worker& worker, int fd, std::uint32_t events, Function<void(std::uint32_t)> on_event)
    : entry_{new Entry{worker.parts(), fd, std::move(on_event)}}
{
    entry_->worker.check_thread();
    epoll_event event{};
    event.events = events;
    event.data.ptr = entry_;
    if (epoll_ctl(entry_->worker.epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        entry_->worker.shared.log.critical("cannot watch descriptor {}: {}", fd,
                                           std::string_view{std::strerror(errno)});
}

Watch::~Watch()
{
    Worker::Parts& worker = entry_->worker;
    worker.check_thread();
    epoll_ctl(worker.epoll_fd, EPOLL_CTL_DEL, entry_->fd, nullptr);
    entry_->dead = true;
    std::unique_ptr<Entry> entry{entry_};
    if (worker.dispatching)
        worker.dead.push_back(
            std::move(entry)); // its event may be next in the batch, or its callback running
}

void Watch::change(std::uint32_t events)
{
    entry_->worker.check_thread();
    epoll_event event{};
    event.events = events;
    event.data.ptr = entry_;
    if (epoll_ctl(entry_->worker.epoll_fd, EPOLL_CTL_MOD, entry_->fd, &event) != 0)
        entry_->worker.shared.log.critical("cannot change the watch of descriptor {}: {}", entry_->fd,
                                           std::string_view{std::strerror(errno)});
}

int Watch::fd() const { return entry_->fd; }

} // namespace sipyard::task
