package train

import (
	"fmt"
	"sync"

	"nabla/autograd"
)

// A Group is a member of several processes, or goroutines, that train one model
// together: see [Config].Group. Package nabla/mpi has one for processes, also
// on several machines, and [NewGroup] makes some for goroutines.
//
// A Group may add up numbers faster, in an order of its own: see [Adder].
type Group interface {
	Rank() int // which member this is, from 0
	Size() int // how many members there are

	// Exchange sends send[i] to member i, and fills receive[i] with what that
	// member sends to this one, itself included. All members call it, equally
	// often. If the lengths differ on both sides, or another member does not
	// come, it returns an error; the Group is then of no use any more.
	Exchange(send, receive [][]byte) error
}

// An Adder is a [Group] that replaces numbers by their sums over all members,
// faster than [Run] does by Exchange but in an order of its own: what is
// trained then differs from run to run, or with the number of members.
type Adder interface {
	Add64(x []float64) error
	Add32(x []float32) error
}

// A GroupError is what a member of a group gets if another one failed, or has
// other numbers than it should have. Errors of the Group itself, such as that
// of a member that does not come, are wrapped in one too.
type GroupError struct {
	Rank int // of the member whose error it is
	Err  error
}

func (e *GroupError) Error() string {
	return fmt.Sprintf("train: member %d of the group: %v", e.Rank, e.Err)
}

// Unwrap returns the reason. If it is a cancelled context of another member,
// it is [context.Canceled].
func (e *GroupError) Unwrap() error { return e.Err }

// NewGroup returns a Group for each of so many goroutines, each with a model of
// its own: to try a program before it runs in several processes, or to train
// where a model cannot be shared by the Workers of one training.
//
//	for _, member := range train.NewGroup(2) {
//		members.Go(func() { results <- teach(member) })
//	}
//
// It panics with an *[autograd.ArgumentError] if size is less than 1.
func NewGroup(size int) []Group {
	if size < 1 {
		panic(autograd.NewArgumentError("train: NewGroup", "a group of %d members", size))
	}
	t := &team{links: make([][]link, size), left: make(chan struct{})}
	members := make([]Group, size)
	for i := range size {
		t.links[i] = make([]link, size)
		for j := range size {
			t.links[i][j] = link{make(chan []byte, 1), make(chan bool, 1)}
		}
		members[i] = &goroutine{t, i}
	}
	return members
}

// A team is what the goroutines of a group share.
type team struct {
	links [][]link // from a member to another

	once sync.Once
	left chan struct{} // closed when a member has left
	by   int           // which
}

// A link passes numbers from one member to another.
type link struct {
	sent   chan []byte
	copied chan bool // whether they were as many as wanted
}

// A goroutine is a member of a team.
type goroutine struct {
	team *team
	rank int
}

func (g *goroutine) Rank() int { return g.rank }
func (g *goroutine) Size() int { return len(g.team.links) }

// Exchange passes the slices themselves, and waits until all are copied.
func (g *goroutine) Exchange(send, receive [][]byte) error {
	t := g.team
	if len(send) != g.Size() || len(receive) != g.Size() {
		return fmt.Errorf("train: Exchange: %d to send and %d to receive in a group of %d", len(send), len(receive), g.Size())
	}
	for i, bytes := range send {
		select {
		case t.links[g.rank][i].sent <- bytes:
		case <-t.left:
			return g.lost()
		}
	}
	for i, to := range receive {
		select {
		case bytes := <-t.links[i][g.rank].sent:
			t.links[i][g.rank].copied <- copy(to, bytes) == max(len(to), len(bytes))
		case <-t.left:
			return g.lost()
		}
	}
	var wrong error
	for i := range send {
		select {
		case fits := <-t.links[g.rank][i].copied:
			if !fits {
				wrong = fmt.Errorf("train: Exchange: member %d wants another number of bytes from member %d than the %d it sent", i, g.rank, len(send[i]))
			}
		case <-t.left:
			return g.lost()
		}
	}
	if wrong != nil {
		g.Leave()
	}
	return wrong
}

func (g *goroutine) lost() error { return fmt.Errorf("train: member %d left the group", g.team.by) }

// Leave ends the group: others that wait for this member get an error.
func (g *goroutine) Leave() {
	g.team.once.Do(func() {
		g.team.by = g.rank
		close(g.team.left)
	})
}
