// An intrusive doubly linked list: the links live in the elements, so adding and removing never allocate, never fail,
// and take the same few instructions anywhere in the list.
//
//   struct Session { ListNode draining_node; };
//   List<Session, &Session::draining_node> draining;
//
// A list does not own its elements. It belongs to one thread. Always true: a node is in at most one list; neither an
// element nor a list is destroyed while it is linked (asserted).
#pragma once

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {

// The links of one element. Both are null exactly while it is in no list.
struct ListNode {
  ListNode* prev = nullptr;
  ListNode* next = nullptr;

  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { WEIR_ASSERT(!linked()); }

  bool linked() const noexcept { return next != nullptr; }
};

// The untyped list under List: a ring of nodes through one sentinel, so that no operation has a special case for the
// ends.
//
//   head -> a -> b -> c -> head
class ListHead {
 public:
  ListHead() noexcept { close(); }
  ListHead(const ListHead&) = delete;
  ListHead& operator=(const ListHead&) = delete;
  ~ListHead() {
    WEIR_ASSERT(empty());
    head_.prev = head_.next = nullptr;
  }

  bool empty() const noexcept { return head_.next == &head_; }
  ListNode* front() const noexcept { return empty() ? nullptr : head_.next; }
  ListNode* back() const noexcept { return empty() ? nullptr : head_.prev; }
  // The node after (before) `node`, null at the end.
  ListNode* after(const ListNode& node) const noexcept { return node.next == &head_ ? nullptr : node.next; }

  void push_back(ListNode& node) noexcept { insert(node, *head_.prev, head_); }
  void push_front(ListNode& node) noexcept { insert(node, head_, *head_.next); }

  ListNode* pop_front() noexcept {
    ListNode* node = front();
    if (node != nullptr) unlink(*node);
    return node;
  }

  // Moves everything of `other`, in its order, behind what is here.
  void take_all(ListHead& other) noexcept {
    WEIR_ASSERT(this != &other);
    if (other.empty()) return;
    ListNode& first = *other.head_.next;
    ListNode& last = *other.head_.prev;
    first.prev = head_.prev;
    head_.prev->next = &first;
    last.next = &head_;
    head_.prev = &last;
    other.close();
  }

  // Takes the node out of whatever list it is in. Returns that list if this left it empty, null otherwise.
  static ListHead* unlink(ListNode& node) noexcept {
    WEIR_ASSERT(node.linked());
    ListNode* neighbour = node.next;
    node.prev->next = node.next;
    node.next->prev = node.prev;
    node.prev = node.next = nullptr;
    // Only a sentinel points at itself: an element that did would be in no list.
    return neighbour->next == neighbour ? &owner_of(*neighbour, &ListHead::head_) : nullptr;
  }

 private:
  void close() noexcept { head_.prev = head_.next = &head_; }

  static void insert(ListNode& node, ListNode& before, ListNode& after) noexcept {
    WEIR_ASSERT(!node.linked());
    node.prev = &before;
    node.next = &after;
    before.next = &node;
    after.prev = &node;
  }

  ListNode head_;
};

template <class T, ListNode T::*node>
class List {
 public:
  bool empty() const noexcept { return head_.empty(); }
  T* front() const noexcept { return element(head_.front()); }
  T* back() const noexcept { return element(head_.back()); }

  void push_back(T& value) noexcept { head_.push_back(value.*node); }
  void push_front(T& value) noexcept { head_.push_front(value.*node); }
  T* pop_front() noexcept { return element(head_.pop_front()); }

  // `value` must be in this list: a node does not know its list, so being in another one goes unnoticed.
  void remove(T& value) noexcept { ListHead::unlink(value.*node); }

  void take_all(List& other) noexcept { head_.take_all(other.head_); }

  // Visits all from front to back. `visit` may remove, or destroy, the element it is given, but no other.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (ListNode* at = head_.front(); at != nullptr;) {
      ListNode* following = head_.after(*at);
      visit(*element(at));
      at = following;
    }
  }

 private:
  static T* element(ListNode* at) noexcept { return at == nullptr ? nullptr : &owner_of(*at, node); }

  ListHead head_;
};

}  // namespace weir
