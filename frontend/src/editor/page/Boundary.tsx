import { Component, Suspense, type ReactNode } from 'react';
import { ErrorState, SkeletonRows } from '../../ui/Feedback';
import { sentenceOf } from '../../api/problem';

interface Props {
  /** What is inside, with its article: "The canvas". */
  what: string;
  children: ReactNode;
  /** Nothing stands in its place while it is loading. */
  quiet?: boolean;
}

/** One part of the page that may still be loading, or break, without taking the others along. */
export class Boundary extends Component<Props, { problem: unknown }> {
  override state = { problem: null as unknown };

  static getDerivedStateFromError(problem: unknown) {
    return { problem };
  }

  override render() {
    const { what, children, quiet = false } = this.props;
    const { problem } = this.state;
    if (problem === null) {
      return <Suspense fallback={quiet ? null : <SkeletonRows rows={4} label={`Loading: ${what.toLowerCase()}`} />}>{children}</Suspense>;
    }
    return (
      <ErrorState
        title={`${what} broke.`}
        detail={`${sentenceOf(problem)} What you drew is kept.`}
        onRetry={() => this.setState({ problem: null })}
      />
    );
  }
}
