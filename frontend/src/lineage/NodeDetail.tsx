import { Link } from '@tanstack/react-router';
import type { Json, TraceNode } from '../api/types';
import { Digest, Fact, Facts, Moment } from '../ui/Facts';
import { formatBytes } from '../ui/format';
import { JsonValue } from '../ui/JsonValue';
import { StateBadge } from '../ui/StateBadge';
import { LOOKS } from '../ui/states';
import { fieldWords, TYPE_WORDS } from './words';

/** All that is known of one thing in a trace; what is empty is not shown as a blank. */
export function NodeDetail({ node }: { node: TraceNode }) {
  const facts = Object.entries(node.detail).filter(([, value]) => value !== null && value !== '');
  return (
    <Facts>
      <Fact name="Kind">{TYPE_WORDS[node.type]}</Fact>
      {facts.map(([name, value]) => (
        <Fact key={name} name={fieldWords(name)}>
          <DetailValue name={name} value={value} node={node} />
        </Fact>
      ))}
    </Facts>
  );
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const DIGEST = /^(sha256:)?[0-9a-f]{64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function DetailValue({ name, value, node }: { name: string; value: Json; node: TraceNode }) {
  if (typeof value === 'string') {
    if (MOMENT.test(value)) return <Moment at={value} />;
    if (DIGEST.test(value)) return <Digest value={value} />;
    if (name === 'state' && value in LOOKS) return <StateBadge state={value} plain />;
    if (name === 'run' && UUID.test(value)) {
      return (
        <Link to="/runs/$runId" params={{ runId: value }}>
          Open the run
        </Link>
      );
    }
    if (name === 'artifact' && node.type === 'artifact' && UUID.test(value)) {
      return (
        <Link to="/artifacts/$artifactId" params={{ artifactId: value }}>
          Look inside
        </Link>
      );
    }
  }
  if (typeof value === 'number' && (name === 'size' || name.endsWith('_bytes'))) return <>{formatBytes(value)}</>;
  return <JsonValue value={value} />;
}
