import { useEffect, useState } from "react";
import type { Overview, Point } from "../api/models";

/** Samples kept of each figure: three minutes at one every two seconds. */
export const SAMPLES_MAX = 90;

export interface Samples {
  requests: Point[];
  errors: Point[];
  p99: Point[];
  commit: Point[];
  lag: Point[];
  jobs: Point[];
  deliveries: Point[];
}

export const NO_SAMPLES: Samples = { requests: [], errors: [], p99: [], commit: [], lag: [], jobs: [], deliveries: [] };

// Kept outside the component, so that leaving the overview and coming back does not lose the last minutes.
let kept = NO_SAMPLES;

/** Adds one reading to the samples: what the server keeps a series of is taken from it, the rest is remembered here. */
export function addSample(before: Samples, reading: Overview): Samples {
  const last = before.commit[before.commit.length - 1];
  if (last && last.at >= reading.at) return before;
  const add = (points: Point[], value: number) => [...points, { at: reading.at, value }].slice(-SAMPLES_MAX);
  const { requests } = reading;
  return {
    requests: requests.series.length > 0 ? requests.series : add(before.requests, requests.per_second),
    errors: requests.error_series.length > 0 ? requests.error_series : add(before.errors, requests.per_second * requests.error_ratio),
    p99: requests.p99_series.length > 0 ? requests.p99_series : add(before.p99, requests.p99_ms),
    commit: add(before.commit, reading.store.commit_p99_ms),
    lag: add(before.lag, reading.events.lag),
    jobs: add(before.jobs, reading.jobs.due + reading.jobs.running),
    deliveries: add(before.deliveries, reading.deliveries.today),
  };
}

export function useSamples(reading: Overview | undefined): Samples {
  const [samples, setSamples] = useState(kept);
  useEffect(() => {
    if (!reading) return;
    kept = addSample(kept, reading);
    setSamples(kept);
  }, [reading]);
  return samples;
}
