package tune

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"hew/internal/lossy"
)

// A point is a candidate that was tried.
type point struct {
	setting setting
	effect  effect
	place   place
	record  Record
	refused bool // it could not be made, or is beyond the limit: nothing is built on it
}

// A search finds the front of loss against trees, nodes and bytes without trying all
// settings. It begins with each knob by itself. Then it goes on with what promises
// most: a value halfway between two that were tried, the settings of a point of the
// front and of another together, or a point of the front with another value of one of
// its numbers. What a setting promises follows from points that are known, as if effects added up.
type search struct {
	plan  *Plan
	fit   *lossy.Data
	judge *judge
	base  *Variant
	limit float64 // the increase of the loss beyond which nothing is of interest

	points []*point // the first is the unpruned model
	tried  map[Candidate]bool
	until  time.Time // zero: no limit
	step   float64   // what a proposal must gain
}

// wave is how many candidates are tried before the next are chosen. It does not depend
// on the machine, so that the search does not.
const wave = 4

// What a candidate must promise is to lie in front of what there is by a step: at first of
// about 15 % of the trees, the nodes or the bytes; if nothing promises as much, of half
// the step, as long as it is not below the finest one.
const (
	firstStep  = 0.15
	finestStep = 0.07
)

// A proposal is a setting to try and what it promises.
type proposal struct {
	setting setting
	origin  string
	gain    float64
}

func (s *search) run(ctx context.Context) error {
	unpruned := s.plan.record(Candidate{}, "unpruned", s.base)
	unpruned.Search = s.judge.self()
	s.points = []*point{{record: unpruned}}
	s.tried = map[Candidate]bool{{}: true}
	s.step = firstStep
	next := s.singles()
	for len(next) > 0 && s.left() > 0 && (s.until.IsZero() || time.Now().Before(s.until)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(wave, len(next), s.left())
		s.try(next[:n])
		if next = s.sensible(next[n:]); len(next) == 0 || next[0].origin != "single" {
			next = s.proposals()
			for len(next) == 0 && s.step/2 >= finestStep {
				s.step /= 2
				next = s.proposals()
			}
		}
		s.progress(len(next))
	}
	return nil
}

// sensible returns the proposals without those of a number that could not be made with
// another value: one reason is enough.
func (s *search) sensible(next []proposal) []proposal {
	return slices.DeleteFunc(next, func(p proposal) bool {
		return p.origin == "single" && knobs[p.setting[0].knob].scale != discrete &&
			slices.ContainsFunc(s.points, func(q *point) bool {
				return q.refused && q.record.Search == nil && q.setting[0].knob == p.setting[0].knob
			})
	})
}

// left returns how many candidates may still be tried.
func (s *search) left() int {
	if s.plan.Candidates == 0 {
		return math.MaxInt
	}
	return s.plan.Candidates - (len(s.points) - 1)
}

func (s *search) progress(next int) {
	if s.plan.Progress != nil {
		s.plan.Progress(len(s.points)-1, next)
	}
}

// try makes and judges candidates.
func (s *search) try(proposals []proposal) {
	points := make([]*point, len(proposals))
	concurrently(len(proposals), func(i int) { points[i] = s.point(proposals[i]) })
	for _, p := range points {
		s.tried[p.setting.candidate()] = true
	}
	s.points = append(s.points, points...)
}

// concurrently calls f for 0 to n−1, on all processors.
func concurrently(n int, f func(i int)) {
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			f(i)
			<-slots
		})
	}
	wg.Wait()
}

// point makes and judges one candidate.
func (s *search) point(p proposal) *point {
	c := p.setting.candidate()
	v, err := s.plan.Make(c, s.fit)
	if err != nil {
		r := s.plan.record(c, p.origin, nil)
		r.Rejected = err.Error()
		return &point{setting: p.setting, record: r, refused: true}
	}
	r := s.plan.record(c, p.origin, v)
	seen, err := s.judge.look(v)
	if err != nil {
		r.Rejected = err.Error()
		return &point{setting: p.setting, record: r, refused: true}
	}
	s.judge.intervals([]*verdict{seen}, roughly, s.plan.Seed)
	r.Search, r.MarginChange, r.ClassChange = &seen.Judgement, seen.marginChange, seen.classChange
	e := effectOf(r.Search, &r, &s.points[0].record)
	return &point{setting: p.setting, effect: e, place: e.place(s.limit), record: r, refused: seen.Increase > s.limit}
}

// singles proposes each knob by itself.
func (s *search) singles() []proposal {
	var all []proposal
	for i := range knobs {
		for _, v := range knobs[i].values(s.base.Ensemble) {
			all = append(all, proposal{setting{{i, v}}, "single", 0})
		}
	}
	return all
}

// An offer takes a setting that might be worth a try, and the effect to expect.
type offer func(t setting, origin string, e effect)

// proposals returns what is worth a try, what promises most first.
func (s *search) proposals() []proposal {
	known := places(s.alive())
	var all []proposal
	offered := map[Candidate]bool{}
	take := func(t setting, origin string, e effect) {
		c := t.candidate()
		if s.tried[c] || offered[c] {
			return
		}
		offered[c] = true
		if gain := e.place(s.limit).gain(known); gain >= s.step && e[0] <= s.limit {
			all = append(all, proposal{t, origin, gain})
		}
	}
	lines := s.lines()
	s.between(lines, take)
	s.combined(take)
	s.varied(lines, take)
	slices.SortStableFunc(all, func(a, b proposal) int { return cmp.Compare(b.gain, a.gain) })
	return all
}

// between offers, for settings that differ in one number, those halfway. Of a point
// beyond the limit no more is expected than to lie at the limit.
func (s *search) between(lines []line, take offer) {
	for _, l := range lines {
		for i := range l.points[1:] {
			p, q := l.points[i], l.points[i+1]
			value, ok := halfway(p.setting[l.at], q.setting[l.at])
			if !ok || p.refused && q.refused {
				continue
			}
			middle := p.effect.plus(1, q.effect).plus(-0.5, p.effect.plus(1, q.effect))
			if p.refused || q.refused {
				middle[0] = min(middle[0], s.limit)
			}
			take(p.setting.set(l.at, value), "between", middle)
		}
	}
}

// combined offers the settings of a point of the front together with those of another
// or with a knob that was tried by itself.
func (s *search) combined(take offer) {
	points := s.front()
	partners := slices.Clone(points)
	for _, p := range s.points[1:] {
		if len(p.setting) == 1 && p.record.Search != nil {
			partners = append(partners, p)
		}
	}
	for _, p := range points {
		for _, q := range partners {
			if both, ok := p.setting.with(q.setting); ok {
				take(both, "combined", p.effect.plus(1, q.effect))
			}
		}
	}
}

// varied offers the points of the front with another value of one of their numbers:
// one that was tried elsewhere, or lies halfway to it. Its effect is expected to differ
// as much as it does where the number stands alone.
func (s *search) varied(lines []line, take offer) {
	for _, l := range lines {
		if len(l.points[0].setting) > 1 {
			continue
		}
		for _, p := range s.front() {
			at := slices.IndexFunc(p.setting, func(c choice) bool { return c.knob == l.points[0].setting[0].knob })
			if at < 0 || len(p.setting) == 1 {
				continue
			}
			now := l.effect(p.setting[at].number())
			for _, q := range l.points {
				values := []string{q.setting[0].value}
				if v, ok := halfway(p.setting[at], q.setting[0]); ok {
					values = append(values, v)
				}
				for _, v := range values {
					there := l.effect(choice{l.points[0].setting[0].knob, v}.number())
					take(p.setting.set(at, v), "varied", p.effect.plus(1, there).plus(-1, now))
				}
			}
		}
	}
}

// A line is points that differ in the value of one choice, in its order.
type line struct {
	at     int // the choice's index in their settings
	points []*point
}

// lines returns all lines of at least two points.
func (s *search) lines() []line {
	byRest := map[Candidate]*line{}
	var all []*line
	for _, p := range s.points {
		if p.record.Search == nil {
			continue // nothing is known about it
		}
		for at, c := range p.setting {
			if knobs[c.knob].scale == discrete {
				continue
			}
			rest := p.setting.set(at, "*").candidate()
			l := byRest[rest]
			if l == nil {
				l = &line{at: at}
				byRest[rest] = l
				all = append(all, l)
			}
			l.points = append(l.points, p)
		}
	}
	var lines []line
	for _, l := range all {
		if len(l.points) > 1 {
			slices.SortFunc(l.points, func(a, b *point) int {
				return cmp.Compare(a.setting[l.at].number(), b.setting[l.at].number())
			})
			lines = append(lines, *l)
		}
	}
	return lines
}

// effect returns the effect at a value of the number: that of points of the line, or
// what lies between two of them.
func (l *line) effect(v float64) effect {
	number := func(i int) float64 { return l.points[i].setting[l.at].number() }
	last := len(l.points) - 1
	if v >= number(last) {
		return l.points[last].effect
	}
	for i := range l.points[1:] {
		if low, high := number(i), number(i+1); v < high {
			share := max(0, (v-low)/(high-low))
			return l.points[i].effect.plus(share, l.points[i+1].effect).plus(-share, l.points[i].effect)
		}
	}
	return effect{}
}

// front returns the points, but for the unpruned model, that no other is as good as.
func (s *search) front() []*point {
	alive := s.alive()
	var on []*point
	for _, i := range front(places(alive)) {
		if alive[i].setting != nil {
			on = append(on, alive[i])
		}
	}
	return on
}

// beyond says that a loss is of no interest.
func (s *search) beyond(j *Judgement) string {
	return fmt.Sprintf("loss %s; beyond %s nothing is looked for", percent(j.Increase), percent(s.limit))
}

// alive returns the points that are not refused.
func (s *search) alive() []*point {
	return slices.DeleteFunc(slices.Clone(s.points), func(p *point) bool { return p.refused })
}

func places(points []*point) []place {
	all := make([]place, len(points))
	for i, p := range points {
		all[i] = p.place
	}
	return all
}
