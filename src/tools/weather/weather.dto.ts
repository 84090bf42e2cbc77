import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsISO8601,
  IsNumber,
  IsOptional,
  IsString,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { ApiField } from '../../index.js';
import type { Units } from './open-meteo.client.js';

export class CurrentWeatherInput {
  @ApiField('City, in any language; with a two-letter country code where several share the name', {
    examples: ['Vienna', 'Springfield, US'],
  })
  @IsString()
  @MinLength(2)
  @MaxLength(100)
  city!: string;

  @ApiField('metric: °C, km/h, mm; imperial: °F, mph, inch')
  @IsIn(['metric', 'imperial'])
  units: Units = 'metric';
}

export class ForecastVariables {
  @IsString() @MinLength(2) @MaxLength(100) city!: string;
}

export class PlaceFound {
  @ApiField('Name of the place that was found') @IsString() name!: string;
  @ApiField('State or province') @IsOptional() @IsString() region?: string;
  @ApiField('Country') @IsOptional() @IsString() country?: string;
}

export class WeatherUnits {
  @ApiField('Unit of both temperatures') @IsString() temperature!: string;
  @ApiField('Unit of the wind speed') @IsString() windSpeed!: string;
  @ApiField('Unit of the precipitation') @IsString() precipitation!: string;
}

export class CurrentWeather {
  @ApiField('Tell the user if it is not the place they meant')
  @ValidateNested()
  @Type(() => PlaceFound)
  place!: PlaceFound;
  @ApiField('Local time of the observation') @IsISO8601() observedAt!: string;
  @ApiField('The weather in words') @IsString() condition!: string;
  @ApiField('Temperature 2 m above ground') @IsNumber() temperature!: number;
  @ApiField('Temperature as it feels with wind and humidity') @IsNumber() feelsLike!: number;
  @ApiField('Relative humidity in percent') @IsNumber() humidityPercent!: number;
  @ApiField('Precipitation of the last 15 minutes') @IsNumber() precipitation!: number;
  @ApiField('Wind speed 10 m above ground') @IsNumber() windSpeed!: number;
  @ApiField('Whether the sun is up') @IsBoolean() isDay!: boolean;
  @ApiField('Units of the numbers') @ValidateNested() @Type(() => WeatherUnits) units!: WeatherUnits;
  @ApiField('To be named where the data is published') @IsString() source!: string;
}
