package tune

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// sameTime is the ratio of two times up to which they count as one: medians of
// interleaved rounds differ by so much from run to run.
const sameTime = 1.03

// sameLoss is a difference of the relative increase of the loss, 0.01 %, up to which two
// count as one: nobody gives anything for less.
const sameLoss = 1e-4

// A span is a measured time: the median and the least of several rounds.
type span struct{ median, least float64 }

func (s *Speed) single() span { return span{s.NsSingle, s.SingleMin} }
func (s *Speed) batch() span  { return span{s.NsBatch, s.BatchMin} }

// effort is the geometric mean of both times.
func (s *Speed) effort() span {
	return span{math.Sqrt(s.NsSingle * s.NsBatch), math.Sqrt(s.SingleMin * s.BatchMin)}
}

// below reports whether s is shorter than t beyond doubt: by more than sameTime, and
// most rounds of s were faster than all of t.
func (s span) below(t span) bool { return s.median*sameTime < t.median && s.median < t.least }

// exactly makes a span of a number that was not measured.
func exactly(v float64) span { return span{v, v} }

// times are what stands for the time of single rows and of batches: if nothing was
// measured, trees and nodes.
func (r *Record) times() [2]span {
	if r.Speed == nil {
		return [2]span{exactly(float64(r.Trees)), exactly(float64(r.Nodes))}
	}
	return [2]span{r.Speed.single(), r.Speed.batch()}
}

// effort is the time by which the fastest is chosen.
func (r *Record) effort() span {
	if r.Speed == nil {
		return exactly(float64(r.Nodes))
	}
	return r.Speed.effort()
}

// better compares two candidates: whether a is as good as b in everything, and better
// in something: the loss, what the loss may be, bytes and times. Losses that are within
// sameLoss are the same.
func better(a, b *Record) bool {
	some := a.Bytes < b.Bytes
	if a.Bytes > b.Bytes {
		return false
	}
	for _, loss := range [2][2]float64{{a.Judge.Increase, b.Judge.Increase}, {a.Judge.High, b.Judge.High}} {
		if loss[0] > loss[1]+sameLoss {
			return false
		}
		some = some || loss[0] < loss[1]-sameLoss
	}
	at, bt := a.times(), b.times()
	for i := range at {
		if bt[i].below(at[i]) {
			return false
		}
		some = some || at[i].below(bt[i])
	}
	return some
}

// front marks the notable candidates that no other is better than. One that breaks a
// constraint takes nothing away from one that keeps to all.
func (p *Plan) front(notable []*finalist) {
	for _, f := range notable {
		f.record.Front = true
		for _, g := range notable {
			if better(&g.record, &f.record) && (p.keeps(g) || !p.keeps(f)) {
				f.record.Front = false
				f.record.Rejected = cmp.Or(f.record.Rejected, fmt.Sprintf("%s is as good in everything and better in something", g.record.Settings()))
				break
			}
		}
	}
}

// keeps reports whether a candidate keeps to the constraints.
func (p *Plan) keeps(f *finalist) bool { return p.broken(&f.record, f.record.Judge) == "" }

// choose marks the candidate that the constraints lead to, of those that keep to them:
// the fastest of those that are as accurate as the most accurate, or the smallest of
// those that are as fast as the fastest.
func (p *Plan) choose(notable []*finalist) bool {
	kept := slices.DeleteFunc(slices.Clone(notable), func(f *finalist) bool { return !p.keeps(f) })
	if len(kept) == 0 {
		return false
	}
	loss := func(f *finalist) float64 { return f.record.Judge.Increase }
	time := func(f *finalist) float64 { return f.record.effort().median }
	by := func(value func(*finalist) float64) func(f, g *finalist) int {
		return func(f, g *finalist) int { return cmp.Compare(value(f), value(g)) }
	}
	var best *finalist
	if p.Accurate {
		most := slices.MinFunc(kept, by(loss))
		best = slices.MinFunc(slices.DeleteFunc(kept, func(f *finalist) bool { return loss(f) > loss(most)+sameLoss }), by(time))
	} else {
		fastest := slices.MinFunc(kept, by(time)).record.effort()
		best = slices.MinFunc(slices.DeleteFunc(kept, func(f *finalist) bool { return fastest.below(f.record.effort()) }), func(f, g *finalist) int {
			return cmp.Or(cmp.Compare(f.record.Bytes, g.record.Bytes), cmp.Compare(loss(f), loss(g)))
		})
	}
	best.record.Chosen, best.record.Front, best.record.Rejected = true, true, ""
	return true
}

// interrupted marks the front of a search after which nothing was judged.
func (s *search) interrupted() {
	for _, p := range s.front() {
		p.record.Front = true
	}
	s.explain(nil)
}

// explain says of every candidate without a reason that is not on the front why not.
func (s *search) explain(all []*finalist) {
	judged := map[*point]bool{}
	for _, f := range all {
		judged[f.point] = true
	}
	on := s.front()
	for _, p := range s.points[1:] {
		r := &p.record
		switch {
		case r.Rejected != "" || r.Front:
		case p.refused:
			r.Rejected = s.beyond(r.Search)
		case judged[p]:
			r.Rejected = "not compared: others near it were, or are as good in everything"
		default:
			r.Rejected = s.behind(p, on)
		}
	}
}

// behind names a candidate that is as good as p.
func (s *search) behind(p *point, on []*point) string {
	for _, q := range on {
		if q != p && q.place.asGood(p.place) {
			return fmt.Sprintf("%s is as good in everything", q.record.Settings())
		}
	}
	if s.points[0].place.asGood(p.place) {
		return "it saves neither trees nor nodes nor bytes"
	}
	return "not judged: others near it were"
}
