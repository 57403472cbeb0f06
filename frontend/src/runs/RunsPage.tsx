import { getRouteApi } from '@tanstack/react-router';
import { Button } from '../ui/Button';
import { Select } from '../ui/Fields';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import { PipelinePicker } from './PipelinePicker';
import { RunsTable } from './RunsTable';
import css from './RunsPage.module.css';
import { runState } from './search';

const route = getRouteApi('/shell/runs');

const STATES = [
  ['', 'All states'],
  ['queued', 'Queued'],
  ['running', 'Running'],
  ['succeeded', 'Succeeded'],
  ['failed', 'Failed'],
  ['cancelled', 'Cancelled'],
] as const;

export function RunsPage() {
  useTitle('Runs');
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filter = {
    ...(search.state ? { state: search.state } : {}),
    ...(search.pipeline ? { pipeline: search.pipeline } : {}),
  };
  const filtered = Object.keys(filter).length > 0;
  return (
    <PageBody>
      <PageHead title="Runs" />
      <div className={css.filters}>
        <PipelinePicker
          value={search.pipeline}
          onChange={(pipeline) => void navigate({ search: (old) => ({ ...old, pipeline }), replace: true })}
        />
        <Select
          aria-label="State"
          className={css.state}
          value={search.state ?? ''}
          onChange={(event) =>
            void navigate({ search: (old) => ({ ...old, state: runState(event.target.value) }), replace: true })
          }
        >
          {STATES.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </Select>
        {filtered && (
          <Button small look="quiet" onClick={() => void navigate({ search: {}, replace: true })}>
            Show all
          </Button>
        )}
      </div>
      <Card>
        <RunsTable filter={filter} />
      </Card>
    </PageBody>
  );
}
