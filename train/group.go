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
	t := &team{links: make([][]link, size), left: make([]chan struct{}, size)}
	members := make([]Group, size)
	for i := range size {
		t.links[i], t.left[i] = make([]link, size), make(chan struct{})
		for j := range size {
			t.links[i][j] = link{make(chan []byte, 1), make(chan bool, 1)}
		}
		members[i] = &goroutine{team: t, rank: i}
	}
	return members
}

// A team is what the goroutines of a group share.
type team struct {
	links [][]link        // from a member to another
	left  []chan struct{} // of each member, closed when it has left

	once sync.Once
	by   int // who was the first to leave
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
	once sync.Once
}

func (g *goroutine) Rank() int { return g.rank }
func (g *goroutine) Size() int { return len(g.team.links) }

// Exchange passes the slices themselves, and waits until all are copied. A
// member whose exchange fails leaves, so that nobody waits for it.
func (g *goroutine) Exchange(send, receive [][]byte) error {
	if len(send) != g.Size() || len(receive) != g.Size() {
		return fmt.Errorf("train: Exchange: %d to send and %d to receive in a group of %d", len(send), len(receive), g.Size())
	}
	select {
	case <-g.team.left[g.rank]:
		return g.lost()
	default:
	}
	err := g.pass(send, receive)
	if err != nil {
		g.Leave()
	}
	return err
}

// pass sends, then receives, and then waits for the others.
func (g *goroutine) pass(send, receive [][]byte) (wrong error) {
	t := g.team
	own := t.links[g.rank]
	for i, bytes := range send {
		own[i].sent <- bytes // there is room: all of the last exchange were copied
	}
	for i, to := range receive {
		bytes, ok := await(t.links[i][g.rank].sent, t.left[i])
		if !ok {
			retract(own)
			return g.lost()
		}
		fits := len(to) == len(bytes)
		if copy(to, bytes); !fits {
			wrong = fmt.Errorf("train: Exchange: member %d sent %d bytes to member %d, which wants %d", i, len(bytes), g.rank, len(to))
		}
		t.links[i][g.rank].copied <- fits
	}
	for i := range send {
		fits, ok := await(own[i].copied, t.left[i])
		switch {
		case !ok:
			retract(own[i:])
			return g.lost()
		case !fits:
			wrong = fmt.Errorf("train: Exchange: member %d wants another number of bytes from member %d than the %d it sent", i, g.rank, len(send[i]))
		}
	}
	return wrong
}

// await takes what comes from a member. It is not ok if the member has left,
// and had not sent it before.
func await[T any](from chan T, left chan struct{}) (v T, ok bool) {
	select {
	case v = <-from:
		return v, true
	case <-left:
	}
	select {
	case v = <-from:
		return v, true
	default:
		return v, false
	}
}

// retract takes back what was sent, or waits until it is copied: the caller's
// memory is the caller's again.
func retract(links []link) {
	for _, l := range links {
		select {
		case <-l.sent:
		case <-l.copied:
		}
	}
}

func (g *goroutine) lost() error { return fmt.Errorf("train: member %d left the group", g.team.by) }

// Leave makes others that wait for this member get an error.
func (g *goroutine) Leave() {
	g.once.Do(func() {
		g.team.once.Do(func() { g.team.by = g.rank })
		close(g.team.left[g.rank])
	})
}
