import { QUALITIES } from "@shared/rtc/quality";
import { Segmented, Select } from "antd";
import type { Source, Wanted } from "./wanted";

interface Props {
  wanted: Wanted;
  change: (wanted: Wanted) => void;
  devices: MediaDeviceInfo[];
}

const SOURCES: { value: Source; label: string }[] = [
  { value: "camera", label: "Camera" },
  { value: "screen", label: "Screen" },
];

export function SourcePicker({ wanted, change, devices }: Props) {
  return (
    <section className="sources panel" aria-label="Picture and sound">
      <div className="field">
        <span id="source-label">Picture</span>
        <Segmented<Source> options={SOURCES} value={wanted.source} aria-labelledby="source-label" data-testid="source"
          onChange={(source) => change({ ...wanted, source })} block />
      </div>
      {wanted.source === "camera" && (
        <DevicePicker label="Camera" kind="videoinput" value={wanted.cameraId} devices={devices}
          choose={(cameraId) => change({ ...wanted, cameraId })} />
      )}
      <DevicePicker label="Microphone" kind="audioinput" value={wanted.microphoneId} devices={devices}
        choose={(microphoneId) => change({ ...wanted, microphoneId })} />
      <label className="field">
        <span>Quality</span>
        <Select value={wanted.qualityId} onChange={(qualityId) => change({ ...wanted, qualityId })} data-testid="quality"
          options={QUALITIES.map(({ id, label }) => ({ value: id, label }))} />
      </label>
    </section>
  );
}

interface DeviceProps {
  label: string;
  kind: MediaDeviceKind;
  value: string | null;
  devices: MediaDeviceInfo[];
  choose: (deviceId: string | null) => void;
}

/** Devices are known once the person allowed one; before that there is only the browser's choice. */
function DevicePicker({ label, kind, value, devices, choose }: DeviceProps) {
  const known = devices.filter((device) => device.kind === kind && device.deviceId !== "" && device.deviceId !== "default");
  const options = [
    { value: "", label: `Default ${label.toLowerCase()}` },
    ...known.map(({ deviceId, label: name }, index) => ({ value: deviceId, label: name || `${label} ${index + 1}` })),
  ];
  return (
    <label className="field">
      <span>{label}</span>
      <Select value={value ?? ""} options={options} onChange={(id) => choose(id === "" ? null : id)}
        data-testid={`${label.toLowerCase()}-select`} />
    </label>
  );
}
