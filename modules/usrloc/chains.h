// modules/usrloc/chains.h - a hash table whose nodes carry their own links: one pointer a bucket is all it
// adds
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sipyard::usrloc {

// Node has `next` and `hash` under the given members. Does not own the nodes. One thread at a time.
template <class Node, Node* Node::*next, std::uint32_t Node::*hash>
class Chains {
public:
    explicit Chains(std::size_t buckets = 16) : buckets_(buckets) {} // a power of two

    template <class Wanted>
    Node* find(std::uint32_t h, Wanted&& wanted) const
    {
        for (Node* node = buckets_[h & (buckets_.size() - 1)]; node; node = node->*next)
            if (node->*hash == h && wanted(*node))
                return node;
        return nullptr;
    }
    void add(Node& node)
    {
        if (++size_ > buckets_.size())
            grow();
        link(node);
    }
    void remove(Node& node)
    {
        for (Node** at = &buckets_[node.*hash & (buckets_.size() - 1)]; *at; at = &((*at)->*next))
            if (*at == &node) {
                *at = node.*next;
                --size_;
                return;
            }
    }
    void replace(Node& old, Node& with) // the same hash
    {
        for (Node** at = &buckets_[old.*hash & (buckets_.size() - 1)]; *at; at = &((*at)->*next))
            if (*at == &old) {
                with.*next = old.*next;
                *at = &with;
                return;
            }
    }
    std::size_t size() const { return size_; }
    std::size_t buckets() const { return buckets_.size(); }
    template <class F>
    void in_bucket(std::size_t bucket, F&& f) const
    {
        for (Node* node = buckets_[bucket]; node;) {
            Node* const after = node->*next; // f may free the node
            f(*node);
            node = after;
        }
    }

private:
    void link(Node& node)
    {
        Node*& head = buckets_[node.*hash & (buckets_.size() - 1)];
        node.*next = head;
        head = &node;
    }
    void grow()
    {
        std::vector<Node*> old(buckets_.size() * 2);
        old.swap(buckets_);
        for (Node* head : old)
            while (head) {
                Node* const after = head->*next;
                link(*head);
                head = after;
            }
    }
    std::vector<Node*> buckets_;
    std::size_t size_ = 0;
};

} // namespace sipyard::usrloc
